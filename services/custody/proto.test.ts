import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tk-proto-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("has the code that its .proto gives", () => {
  const out = join(folder, "services", "custody");
  mkdirSync(out, { recursive: true });
  execFileSync("buf", ["generate", "-o", out], { cwd: "services/custody" });
  const [fresh, kept] = [join(folder, "custody"), "custody"].map((each) =>
    readFileSync(join(each, "proto/custody_pb.ts"), "utf8"),
  );
  expect(fresh).toBe(kept);
}, 120_000);
