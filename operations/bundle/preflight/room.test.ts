import { describe, expect, it } from "vitest";
import { storedFiles } from "../install/stage.ts";
import { testBundle } from "../install/test-site.ts";
import { judgeRoom, roomForFiles } from "./room.ts";

const { manifest } = testBundle(1, { sharedBytes: 10_000_000 });

describe("room on a site's disk", () => {
  it("is asked for each bytes once, in whole blocks", () => {
    const room = roomForFiles(manifest, [], []);
    expect(room).toBeGreaterThan(10_000_000);
    expect(room).toBeLessThan(11_200_000);
  });

  it("is not asked for what another version has", () => {
    const other = testBundle(2, { sharedBytes: 10_000_000 }).manifest;
    expect(roomForFiles(other, [], storedFiles(manifest))).toBeLessThan(1_200_000);
    expect(roomForFiles(manifest, [], storedFiles(manifest))).toBeLessThan(1_100_000);
  });

  it("is asked for the layers of the toolkit's runtime too, unless another version has the same", () => {
    const digest = `sha256:${"7".repeat(64)}`;
    const listed = { path: "toolkit/runtime.json", digest: manifest.files[0]?.digest ?? "", executable: false };
    const toolkit = {
      files: [...manifest.files, listed],
      blobs: [...manifest.blobs, { digest, bytes: 150_000_000 }],
    };
    const runtime = [{ digest, take: [{ from: "usr/bin/node", to: "runtime/node", digest, executable: true }] }];
    expect(roomForFiles(toolkit, runtime, [])).toBeGreaterThan(160_000_000);
    expect(roomForFiles(toolkit, runtime, storedFiles(toolkit))).toBeLessThan(1_100_000);
    expect(roomForFiles(manifest, runtime, [])).toBeLessThan(11_200_000);
  });

  it("is missing when the version and the cold copy do not fit together", () => {
    const room = { files: 600, copy: 500 };
    expect(judgeRoom(room, 1099, "/site").map(({ code }) => code)).toEqual(["BUNDLE_NO_ROOM"]);
    expect(judgeRoom(room, 1100, "/site")).toEqual([]);
    expect(judgeRoom(room, undefined, "/site")).toEqual([]);
  });
});
