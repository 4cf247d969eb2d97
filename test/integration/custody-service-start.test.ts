import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CustodyProcesses, custodyProcesses } from "./custody/processes.ts";

let processes: CustodyProcesses;
beforeEach(() => {
  processes = custodyProcesses();
});
afterEach(() => processes.end());

interface Failure {
  readonly code: number | null;
  readonly error: { readonly code: string; readonly fix: string; readonly path: string };
  readonly all: string;
}

/** How a start ends that cannot succeed. */
async function failure(changes?: object): Promise<Failure> {
  const { child, output, ended } = processes.custody(changes);
  await ended;
  const line = output()
    .split("\n")
    .find((each) => each.startsWith('{"error"'));
  return { code: child.exitCode, error: JSON.parse(line ?? "{}").error, all: output() };
}

/** Starts once, so that there is a store, and ends it again. */
async function made(): Promise<void> {
  const custody = processes.custody();
  await processes.until("custody", true);
  await custody.kill("SIGTERM");
}

const filesIn = (folder: string) =>
  Object.fromEntries(
    readdirSync(processes.at(folder)).map((file) => [file, readFileSync(join(processes.at(folder), file), "hex")]),
  );

describe("custody does not start", () => {
  it("with a wrong passphrase, and leaves keys and generations as they are", async () => {
    await made();
    const before = [filesIn("keys"), filesIn("state")];
    writeFileSync(processes.at("passphrase"), "f".repeat(64));
    const { code, error, all } = await failure();
    expect([code, error.code]).toEqual([3, "CUSTODY_PASSPHRASE_WRONG"]);
    expect(error.fix).toMatch(/passphrase/);
    expect(all).not.toContain("f".repeat(64));
    expect(all).toContain('"CUSTODY_UNSEAL_FAILED"');
    expect([filesIn("keys"), filesIn("state")]).toEqual(before);
  });

  it.each([
    ["changed", (text: string) => text.replace('"active"', '"retired"')],
    ["cut short", (text: string) => text.slice(0, -3)],
    ["empty", () => ""],
  ])("from generations that are %s, and does not make others", async (_, spoil) => {
    await made();
    const file = processes.at("state/generations.json");
    const spoilt = spoil(readFileSync(file, "utf8"));
    writeFileSync(file, spoilt);
    const { code, error } = await failure();
    expect([code, error.code]).toEqual([4, "CUSTODY_STATE_CORRUPT"]);
    expect(readFileSync(file, "utf8")).toBe(spoilt);
  });

  it("without a passphrase, with a low work factor under a weak one, or in a place that is worse than it may be", async () => {
    expect((await failure({ leastClass: "virtual" })).error.code).toBe("CUSTODY_CLASS_BELOW");
    writeFileSync(processes.at("passphrase"), "\n");
    expect((await failure()).error.code).toBe("CUSTODY_PASSPHRASE_MISSING");
    writeFileSync(processes.at("passphrase"), "correct horse battery staple");
    const keyStore = { kind: "file", folder: processes.at("other"), passphraseFile: processes.at("passphrase") };
    const { code, error } = await failure({ keyStore: { ...keyStore, scryptWorkFactor: 12 } });
    expect(code).not.toBe(0);
    expect(error.code).toMatch(/^CUSTODY_(WORK_FACTOR_RANGE|PASSPHRASE_WEAK)$/);
  });

  it("beside a living one", async () => {
    processes.custody();
    await processes.until("custody", true);
    expect((await failure()).error.code).toBe("CONTROL_SOCKET_IN_USE");
    expect(await processes.status("custody")).toMatchObject({ ready: true });
  });
});
