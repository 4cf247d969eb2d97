import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tk-proto-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("has the code that its .proto files give", () => {
  const out = join(folder, "services", "custody");
  mkdirSync(out, { recursive: true });
  execFileSync("buf", ["generate", "-o", out], { cwd: "services/custody" });
  const [fresh, kept] = [join(folder, "custody"), "custody"].map((each) =>
    ["custody_pb.ts", "token_pb.ts"].map((file) => readFileSync(join(each, "proto", file), "utf8")),
  );
  expect(fresh).toEqual(kept);
}, 120_000);
