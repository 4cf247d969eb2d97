import { describe, expect, it } from "vitest";
import { layoutOf } from "./layout.ts";

describe("layoutOf", () => {
  it("keeps sockets beside the state while their paths fit", () => {
    expect(layoutOf("/srv/tk", "/tmp").runDir).toBe("/srv/tk/run");
  });

  it("moves sockets to the temporary folder when the state directory's path is long, and to another for another directory", () => {
    const long = `/srv/${"a".repeat(120)}`;
    const { runDir } = layoutOf(long, "/tmp");
    expect(runDir).toMatch(/^\/tmp\/tk-[0-9a-f]{12}$/);
    expect(layoutOf(`${long}b`, "/tmp").runDir).not.toBe(runDir);
    expect(layoutOf(long, "/tmp").runDir).toBe(runDir);
  });

  it("refuses a machine on which no folder is short enough", () => {
    const long = `/srv/${"a".repeat(120)}`;
    expect(() => layoutOf(long, long)).toThrow(expect.objectContaining({ code: "SOCKET_PATH_TOO_LONG" }));
  });

  it("counts bytes and not characters", () => {
    expect(layoutOf(`/srv/${"ä".repeat(45)}`, "/tmp").runDir).toMatch(/^\/tmp\//);
  });
});
