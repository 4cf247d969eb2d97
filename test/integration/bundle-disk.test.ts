import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

test("a disk that is full, fills up or is read-only gets one error, and nothing of a bundle stays there", () => {
  const disk = mkdtempSync(join(tmpdir(), "tk-bundle-disk-"));
  try {
    const mount = 'mount -t tmpfs -o size=700k tmpfs "$0" && exec "$@"';
    const driver = [process.execPath, "test/support/bundle-disk.ts", disk];
    const said = execFileSync("unshare", ["--mount", "sh", "-c", mount, disk, ...driver], { encoding: "utf8" });
    expect(JSON.parse(said)).toEqual({
      fullWhileWriting: "BUNDLE_DISK_FULL",
      leftWhileWriting: [],
      full: "BUNDLE_DISK_FULL",
      fullScratch: "BUNDLE_DISK_FULL",
      left: [],
      written: "done",
      readOnly: "BUNDLE_NOT_WRITABLE",
      readOnlySlot: "BUNDLE_NOT_WRITABLE",
      readOnlyScratch: "BUNDLE_NOT_WRITABLE",
      there: ["site.tkb"],
    });
  } finally {
    rmSync(disk, { recursive: true });
  }
});
