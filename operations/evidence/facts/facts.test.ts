import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LedgerRecord } from "../../../certs/ledger/record.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { STATE_FILE } from "../../../stacks/docker/cdktf.ts";
import { LEFT_OUT, plainText, plainTexts } from "../../signed-file/plain-text.ts";
import { operatorsOf } from "./certificates.ts";
import { administratorsOfFile, factsOfFile } from "./deployment.ts";
import { deployedWith } from "./terraform.ts";

const AT = new Date("2026-03-01T12:00:00.000Z");

/** A record of an operator's certificate that ends at one o'clock. */
function record(changes: Partial<LedgerRecord>): LedgerRecord {
  return {
    ...{ seq: 1, prev: "", at: "2026-03-01T11:59:00.000Z", kind: "issued", serial: "1f", issuer: "acme operators" },
    ...{ subject: "op-anna", class: "operators", notAfter: "2026-03-01T13:00:00.000Z", sha256: "", actor: "op-bert" },
    ...{ reason: "host", ...changes },
  };
}

describe("operators whose certificates are valid", () => {
  const names = (...records: LedgerRecord[]) => operatorsOf(records, AT).map(({ subject }) => subject);

  it("are those that the ledger has as issued, with who issued them", () => {
    expect(operatorsOf([record({})], AT)).toMatchObject([{ subject: "op-anna", issuedBy: "op-bert" }]);
  });

  it("are not those of other classes, refused, over, or revoked", () => {
    expect(names(record({ class: "gateways" }))).toEqual([]);
    expect(names(record({ kind: "refused" }))).toEqual([]);
    expect(names(record({ notAfter: "2026-03-01T12:00:00.000Z" }))).toEqual([]);
    expect(names(record({}), record({ kind: "revoked" }))).toEqual([]);
    expect(names(record({}), record({ kind: "revoked", serial: "2f" }))).toEqual(["op-anna"]);
  });
});

describe("what the file says", () => {
  it("is told of grants, shares and support, with whose they are", () => {
    const deployment = defaultDeployment();
    const from = "2026-03-01T00:00:00Z";
    const said = administratorsOfFile({
      ...deployment,
      support: { access: "granted", to: "partner", from, until: from, reason: "a fault" },
      custody: {
        ...deployment.custody,
        grants: [{ to: "role", operator: "trustkern" }],
        escrow: { threshold: 2, holders: [{ name: "anna", operator: "customer", recipient: "age1x" }] },
      },
    });
    expect(said).toMatchObject({
      grants: [{ to: "role", operator: "trustkern" }],
      escrow: { threshold: 2, holders: [{ name: "anna", operator: "customer" }] },
      support: { access: "granted", to: "partner", reason: "a fault" },
    });
    expect(JSON.stringify(said)).not.toContain("age1x");
  });

  it("has an image without a lock as one without a digest", () => {
    const images = { source: "registry", images: { a: { reference: "a:1" } } } as const;
    expect(factsOfFile(defaultDeployment(), images, undefined)).toMatchObject({
      images: [{ name: "a", digest: null }],
      imageSigner: null,
    });
  });
});

describe("a text becomes plain", () => {
  it.each([
    ["one line", "a\nb\tc", "a b c"],
    ["without what turns the direction of reading", "a\u202eb\u2066c", "a b c"],
    ["without half a character", "a\ud800b", "a b"],
    ["without what looks like a key", "x -----BEGIN EC PRIVATE KEY----- y", LEFT_OUT],
    ["without what looks like a token", `eyJ${"a".repeat(20)}.b.c`, LEFT_OUT],
    ["as it is", "Köln: 5 °C & <b>", "Köln: 5 °C & <b>"],
  ])("%s", (_, text, plain) => {
    expect(plainText(text)).toBe(plain);
    expect(plainText(plainText(text))).toBe(plain);
  });

  it("and no longer than it may be", () => {
    const long = plainText("word ".repeat(1_000));
    expect(long.length).toBeLessThanOrEqual(2_000);
    expect(plainText(long)).toBe(long);
  });

  it("wherever it is in a value, and what is undefined is gone", () => {
    expect(plainTexts({ a: ["x\ny"], b: { c: undefined, d: 1, e: null } })).toEqual({
      a: ["x y"],
      b: { d: 1, e: null },
    });
  });
});

describe("the program of the last deploy", () => {
  let terraformDir: string;
  beforeEach(() => {
    terraformDir = mkdtempSync(join(tmpdir(), "tk-state-"));
    mkdirSync(terraformDir, { recursive: true });
  });
  afterEach(() => rmSync(terraformDir, { recursive: true }));

  it.each([
    ['{"version":4,"terraform_version":"1.12.6"}', "1.12.6"],
    ['{"version":4}', undefined],
    ["{", undefined],
  ])("is what its state says: %s", (text, version) => {
    writeFileSync(join(terraformDir, STATE_FILE), text);
    expect(deployedWith({ terraformDir })).toBe(version);
  });

  it("is not known without a state on this host", () => {
    expect(deployedWith({ terraformDir })).toBeUndefined();
  });
});
