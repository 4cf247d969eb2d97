import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openLedger } from "../../certs/ledger/ledger.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { TestCeremony } from "../test-ceremony.ts";
import { runCli } from "../test-io.ts";

const backend = vi.fn<OperatorClient>();
vi.mock("../../stacks/host/operator-client.ts", () => ({ operatorClient: async () => backend }));

const made = new TestCeremony();
const file = (name: string): string => made.file(name);
const authorities = (name: string): string => join(made.dir, "authorities", name);
const verify = (...argv: readonly string[]) => made.json("certs", "audit", "verify", ...argv);
const write = (name: string, text: string): string => {
  writeFileSync(file(name), text);
  return name;
};
const state = ({ ledgers }: Readonly<Record<string, unknown>>): unknown =>
  (ledgers as { name: string; state: string }[]).map((each) => `${each.name} ${each.state}`).join();
const codes = ({ findings }: Readonly<Record<string, unknown>>): unknown =>
  (findings as { code: string; path: string }[]).map(({ code, path }) => `${code} ${path}`);

/** A ledger with that many records, and its head. */
async function ledgerOf(signingKey: KeyObject, records: number) {
  const place = { file: file("backend.ndjson"), headFile: file("backend.head") };
  for (const each of Object.values(place)) rmSync(each, { force: true });
  const ledger = await openLedger({ ...place, signingKey, clock: () => new Date(0) });
  const entry = { issuer: "TrustKern gateways", class: "gateways", notAfter: "", sha256: "", actor: "", reason: "" };
  for (let i = 1; i <= records; i += 1)
    await ledger.append({ ...entry, kind: "issued", serial: `7f0${i}`, subject: `gw-0${i}` });
  const { text, head } = ledger.evidence();
  ledger.close();
  return { ledger: text, head };
}

let key: KeyObject;
let whole: { readonly ledger: string; readonly head: string };
const gives = (answer: unknown): void => void backend.mockImplementation(async () => answer);

beforeAll(async () => {
  expect((await made.run(...made.argv)).exit).toBe(0);
  await made.deploy();
  key = createPrivateKey(readFileSync(join(made.dir, "secrets/backend/signing.key")));
  whole = await ledgerOf(key, 3);
}, 120_000);
afterAll(() => made.remove());
beforeEach(() => {
  backend.mockReset();
  gives(whole);
});

describe("certs audit verify", () => {
  test("says of a folder without a deployment that there is none", async () => {
    const { exit, stdout } = await runCli(["certs", "audit", "verify", "--dir", "none", "--json"], { cwd: made.cwd });
    expect([exit, JSON.parse(stdout).error.code]).toEqual([6, "NOT_DEPLOYED"]);
  });

  test("verifies the host's ledger and the backend's, each by its own key", async () => {
    const audit = await verify();
    expect([audit.exit, audit.ok, audit.complete, state(audit)]).toEqual([0, true, true, "host whole,backend whole"]);
    expect(backend.mock.calls).toEqual([["GET", "/v1/audit"]]);
    expect((await made.run("certs", "audit", "verify")).stdout).toMatch(
      /host is whole: \d+ records\n.*backend is whole: 3/,
    );
  });

  test.each<[string, (good: typeof whole) => Promise<unknown> | unknown]>([
    ["a record changed", ({ ledger, head }) => ({ ledger: ledger.replace("gw-02", "gw-99"), head })],
    ["a record taken out", ({ ledger, head }) => ({ ledger: ledger.split("\n").toSpliced(1, 1).join("\n"), head })],
    [
      "its last record cut off",
      ({ ledger, head }) => ({ ledger: ledger.split("\n").toSpliced(2, 1).join("\n"), head }),
    ],
    ["a head of another key", () => ledgerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, 3)],
    ["no head", ({ ledger }) => ({ ledger, head: "" })],
  ])("finds the backend's ledger with %s", async (_, change) => {
    gives(await change(whole));
    const audit = await verify();
    expect([audit.exit, audit.ok, state(audit)]).toEqual([1, false, "host whole,backend changed"]);
  });

  test("says that the backend's ledger was not verified, and fails for it where that is asked for", async () => {
    for (const answer of [hostErrors.error("SERVICE_FAILED", "nobody answers"), new TypeError("no answer")]) {
      backend.mockRejectedValue(answer);
      const audit = await verify();
      expect([audit.exit, audit.ok, audit.complete, state(audit)]).toEqual([
        0,
        true,
        false,
        "host whole,backend not-verified",
      ]);
      expect(await verify("--require-backend")).toMatchObject({ exit: 1, ok: false });
    }
    gives({ ledger: 7 });
    expect(await verify("--require-backend")).toMatchObject({ exit: 1, complete: false });
    const { stdout } = await made.run("certs", "audit", "verify");
    expect(stdout).toContain("the ledger of the backend was not verified: SERVICE_FAILED");
  });
});

describe("a head that was kept elsewhere", () => {
  test("is what later ledgers continue", async () => {
    expect(await verify("-o", "kept")).toMatchObject({ exit: 0 });
    expect(await verify("--head", "kept")).toMatchObject({ exit: 0, ok: true });
    gives(await ledgerOf(key, 5));
    expect((await made.run("certs", "issue", "op-ada", "-o", "op-ada.pem")).exit).toBe(0);
    gives(await ledgerOf(key, 5));
    expect(await verify("--head", "kept")).toMatchObject({ exit: 0, ok: true });
  });

  test("shows a backend's ledger that was put back with its head, or written anew", async () => {
    const later = write("later", (await ledgerOf(key, 5)).head);
    const audit = await verify("--head", later);
    expect([audit.exit, state(audit), codes(audit)]).toEqual([1, "host whole,backend changed", ["LEDGER_CUT later:1"]]);
    const other = await ledgerOf(key, 2);
    gives({ ...other, ledger: other.ledger });
    expect(codes(await verify("--head", write("of-three", whole.head)))).toEqual(["LEDGER_CUT of-three:1"]);
  });

  test("shows a host's ledger that was put back with its head", async () => {
    const [records, head] = ["ledger.ndjson", "ledger.head"].map((name) => readFileSync(authorities(name), "utf8"));
    expect((await made.run("certs", "issue", "op-eve", "-o", "op-eve.pem")).exit).toBe(0);
    expect(await verify("-o", "before")).toMatchObject({ exit: 0 });
    const [now, nowHead] = ["ledger.ndjson", "ledger.head"].map((name) => readFileSync(authorities(name), "utf8"));
    writeFileSync(authorities("ledger.ndjson"), records ?? "");
    writeFileSync(authorities("ledger.head"), head ?? "");
    expect(await verify()).toMatchObject({ exit: 0 });
    const audit = await verify("--head", `kept,before`);
    expect([audit.exit, state(audit), codes(audit)]).toEqual([
      1,
      "host changed,backend whole",
      ["LEDGER_CUT before:1"],
    ]);
    writeFileSync(authorities("ledger.ndjson"), now ?? "");
    writeFileSync(authorities("ledger.head"), nowHead ?? "");
  });

  test("of the backend is a finding where the backend is away, and one of nobody always", async () => {
    const strange = await ledgerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, 1);
    expect(codes(await verify("--head", write("strange", strange.head)))).toEqual(["LEDGER_HEAD strange:1"]);
    expect(codes(await verify("--head", write("words-alone", "no head\n")))).toEqual(["LEDGER_HEAD words-alone:1"]);
    backend.mockRejectedValue(hostErrors.error("SERVICE_FAILED", "nobody answers"));
    const audit = await verify("--head", write("of-three", whole.head));
    expect([audit.exit, codes(audit)]).toEqual([1, ["LEDGER_AWAY of-three:1"]]);
  });

  test("is in a file that is there and has one, and is kept of whole ledgers alone, in a new file", async () => {
    expect(await verify("--head", "none")).toMatchObject({ error: { code: "CLI_FILE" } });
    expect(await verify("--head", write("empty", "\n"))).toMatchObject({ exit: 2, error: { code: "CLI_USAGE" } });
    expect(await verify("-o", "kept")).toMatchObject({ error: { code: "CLI_FILE_EXISTS" } });
    gives({ ...whole, head: "" });
    expect(await verify("-o", "not-kept")).toMatchObject({ exit: 1 });
    expect(() => readFileSync(file("not-kept"))).toThrow("ENOENT");
  });
});

test("somebody who adds a record without a head is found", async () => {
  const path = authorities("ledger.ndjson");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, `${text}${text.trimEnd().split("\n").at(-1)}\n`);
  expect(await verify()).toMatchObject({ exit: 1, ok: false });
  writeFileSync(path, text);
});
