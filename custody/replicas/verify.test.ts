import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEntry } from "../audit/record.ts";
import type { Generation } from "../generation.ts";
import { activeOf, opens } from "../keyring/test-support.ts";
import { signerKey } from "./statement.ts";
import { type TestCustodies, type TestFollower, type TestWriter, testCustodies } from "./test-pair.ts";
import { type ReplicaEvidence, verifyReplicas } from "./verify.ts";

let custodies: TestCustodies;
let writer: TestWriter;
let follower: TestFollower;
beforeEach(async () => {
  custodies = testCustodies();
  writer = await custodies.writer();
  follower = await custodies.follower();
  await follower.followFrom(writer);
});
afterEach(async () => {
  await writer.close();
  await follower.close();
  custodies.remove();
});

function evidence(): readonly ReplicaEvidence[] {
  return ([["custody-0", writer] as const, ["custody-1", follower] as const] as const).map(([name, { store }]) => {
    const publicKey = signerKey(store.signer.publicKeySpki);
    if (publicKey === null) throw new Error("no key");
    return { name, publicKey, folder: join(custodies.at(name), "audit"), patienceMs: 0 };
  });
}
const codes = async (of = evidence()) => [...new Set((await verifyReplicas(of)).findings.map(({ code }) => code))];

/** What a custody would record that opens although it may not. */
function opening({ keyId }: Pick<Generation, "keyId">): AuditEntry {
  const keys = [{ keyId, opened: 1, failed: 0 }];
  const detail = { client: "svc-collector", use: "live", keys, unknown: 0, items: 1, root: "0".repeat(64) } as const;
  return { kind: "decapsulated", actor: "svc-collector", detail };
}

describe("the logs of several custodies", () => {
  it("fit each other through rotation, compromise, destruction and openings of both", async () => {
    const first = activeOf(writer.keyring);
    await writer.keyring.generate("op", { state: "active" });
    await opens(follower.keyring, first);
    await follower.followFrom(writer);
    await writer.keyring.compromise("op", activeOf(writer.keyring).keyId, { reason: "lost", stored: "allow" });
    await follower.followFrom(writer);
    await writer.keyring.destroy("op", first.keyId);
    await follower.followFrom(writer);
    for (const each of writer.keyring.list()) await opens(follower.keyring, each, "stored");
    await opens(writer.keyring, activeOf(writer.keyring));
    const { findings, writer: name, logs } = await verifyReplicas(evidence());
    expect([findings, name, logs.map((log) => log.name)]).toEqual([[], "custody-0", ["custody-0", "custody-1"]]);
  });

  it("show an opening after the record that the key opens nothing", async () => {
    const lost = activeOf(writer.keyring);
    await follower.audit.append(opening(lost));
    expect(await codes()).toEqual([]);
    await writer.keyring.compromise("op", lost.keyId, { reason: "lost", stored: "block" });
    await follower.followFrom(writer);
    await follower.audit.append(opening(lost));
    expect(await codes()).toEqual(["AUDIT_FOLLOWED_OPENED"]);
  });

  it("show an opening with a key that was never followed", async () => {
    await follower.audit.append(opening({ keyId: "0011223344556677" }));
    expect(await codes()).toEqual(["AUDIT_FOLLOWED_OPENED"]);
  });

  it("show an opening before anything was followed", async () => {
    await follower.close();
    follower = await custodies.follower("eager");
    await follower.audit.append(opening(activeOf(writer.keyring)));
    await follower.followFrom(writer);
    const [first, second] = evidence();
    if (first === undefined || second === undefined) throw new Error("no evidence");
    expect(await codes([first, { ...second, folder: join(custodies.at("eager"), "audit") }])).toEqual([
      "AUDIT_FOLLOWED_OPENED",
    ]);
  });

  it("show an opening long after the writer was heard of", async () => {
    custodies.pass(104_000);
    await follower.audit.append(opening(activeOf(writer.keyring)));
    expect(await codes()).toEqual([]);
    custodies.pass(3_000);
    await follower.audit.append(opening(activeOf(writer.keyring)));
    expect(await codes()).toEqual(["AUDIT_FOLLOWED_STALE"]);
  });

  it("show a change that the writer's log does not have", async () => {
    const [first, ...others] = evidence();
    if (first === undefined) throw new Error("no evidence");
    cpSync(first.folder, custodies.at("older"), { recursive: true });
    await writer.keyring.generate("op", { state: "active" });
    await follower.followFrom(writer);
    expect(await codes()).toEqual([]);
    expect(await codes([{ ...first, folder: custodies.at("older") }, ...others])).toEqual(["AUDIT_FOLLOWED_UNKNOWN"]);
  });

  it("show that another writer's were given", async () => {
    const other = await custodies.writer("other");
    const publicKey = signerKey(other.store.signer.publicKeySpki);
    const folder = join(custodies.at("other"), "audit");
    const [, second] = evidence();
    if (publicKey === null || second === undefined) throw new Error("no evidence");
    expect(await codes([{ name: "custody-0", publicKey, folder }, second])).toEqual(["AUDIT_FOLLOWED_UNKNOWN"]);
    await other.close();
  });

  it("show two writers, and none", async () => {
    const [first, second] = evidence();
    if (first === undefined || second === undefined) throw new Error("no evidence");
    expect(await codes([first, { ...first, name: "again" }])).toEqual(["AUDIT_ROLE"]);
    expect(await codes([second])).toEqual(["AUDIT_ROLE"]);
  });

  it("show a log that is missing", async () => {
    await follower.close();
    rmSync(join(custodies.at("custody-1"), "audit"), { recursive: true });
    expect(await codes()).toContain("AUDIT_CUT");
    follower = await custodies.follower("fresh");
  });
});
