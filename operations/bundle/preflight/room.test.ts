import { describe, expect, it } from "vitest";
import { testBundle } from "../install/test-site.ts";
import { judgeRoom, roomForFiles, wantedFiles } from "./room.ts";

const { manifest } = testBundle(1, { sharedBytes: 10_000_000 });
const never = () => false;
const digest = `sha256:${"7".repeat(64)}`;
const node = { from: "usr/bin/node", to: "runtime/node", digest, bytes: 150_000_000, executable: true };

describe("room on a site's disk", () => {
  it("is asked for each bytes once, in whole blocks", () => {
    const room = roomForFiles(wantedFiles(manifest, []), never);
    expect(room).toBeGreaterThan(10_000_000);
    expect(room).toBeLessThan(11_200_000);
  });

  it("is not asked for what lies there", () => {
    const files = wantedFiles(manifest, [{ digest, take: [node] }]);
    expect(roomForFiles(files, ({ bytes }) => bytes > 1_000_000)).toBeLessThan(1_200_000);
    expect(roomForFiles(files, () => true)).toBe(1_048_576);
  });

  it("is asked for what the toolkit's runtime takes of layers, and not for the layers", () => {
    const files = wantedFiles(manifest, [{ digest: manifest.blobs[0]?.digest ?? "", take: [node] }]);
    expect(roomForFiles(files, never) - roomForFiles(wantedFiles(manifest, []), never)).toBe(150_003_712);
  });

  it("is missing when the version and the cold copy do not fit together", () => {
    const room = { files: 600, copy: 500 };
    expect(judgeRoom(room, 1099, "/site").map(({ code }) => code)).toEqual(["BUNDLE_NO_ROOM"]);
    expect(judgeRoom(room, 1100, "/site")).toEqual([]);
    expect(judgeRoom(room, undefined, "/site")).toEqual([]);
  });
});
