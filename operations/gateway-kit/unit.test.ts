import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { renderGatewayUnit } from "./unit.ts";

const unit = renderGatewayUnit("gw-07");
const root = mkdtempSync(join(tmpdir(), "tk-unit-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The unit as a file, with a program that every machine has. */
function installed(content: string): string {
  const file = join(root, "trustkern-gateway.service");
  writeFileSync(file, content.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true"));
  return file;
}
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

describe("the unit of a gateway elsewhere", () => {
  it.each([
    "DynamicUser=yes",
    "ProtectSystem=strict",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "StateDirectory=trustkern-gateway",
    "LoadCredential=device.key:/etc/trustkern-gateway/device.key",
    "LoadCredential=enrolment.token:/etc/trustkern-gateway/enrolment.token",
    "LimitCORE=0",
    "[Install]",
  ])("says %s", (line) => expect(unit.split("\n")).toContain(line));

  it("starts no debugger by a signal", () => expect(unit).toMatch(/^ExecStart=.*--disable-sigusr1 /m));

  // Where this machine has no systemd, its lines above are what is looked at.
  it("is one that systemd takes without a word, and calls safe", () => {
    const file = installed(unit);
    if (!hasSystemd) return;
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
    expect([verified.status, verified.stderr]).toEqual([0, ""]);
    const offline = ["security", "--offline=true", "--threshold=25", file];
    const judged = spawnSync("systemd-analyze", offline, { encoding: "utf8" });
    expect(judged.status, judged.stdout).toBe(0);
  });
});
