import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCeremony } from "../test-ceremony.ts";

const made = new TestCeremony();
const DEV = "name: demo\ntenant: demo\nprofile: dev\n";
// The clock of these tests stands at the beginning of 1970.
const granted = (from: string, until: string) =>
  `support: { access: granted, to: partner, from: "${from}", until: "${until}", reason: "the broker loses sessions" }\n`;
const saying = (support: string) => writeFileSync(made.file("trustkern.yaml"), `${DEV}${support}`);
const issue = (name: string, output = `${name}.pem`) => made.json("certs", "issue", name, "-o", output);
const read = (file: string) => readFileSync(join(made.dir, file), "utf8");

beforeAll(async () => {
  expect((await made.run(...made.argv)).exit).toBe(0);
  await made.deploy();
}, 120_000);
afterAll(() => made.remove());

describe("a certificate for the vendor's staff", () => {
  it.each([
    ["where nothing is said", ""],
    ["where access is off", "support: { access: off }\n"],
    ["before access begins", granted("1970-01-01T00:00:01Z", "1970-01-02T00:00:00Z")],
    ["once access has ended", granted("1969-12-30T00:00:00Z", "1970-01-01T00:00:00Z")],
    ["for less time than a certificate lasts", granted("1969-12-31T00:00:00Z", "1970-01-01T00:04:59Z")],
  ])("is refused %s, with an event and no record", async (_, support) => {
    saying(support);
    const records = read("authorities/ledger.ndjson");
    expect(await issue("op-support-ada")).toMatchObject({ exit: 5, error: { code: "DENIED_SUPPORT_OFF" } });
    expect(existsSync(made.file("op-support-ada.pem"))).toBe(false);
    expect(read("authorities/ledger.ndjson")).toBe(records);
    const last = read("logs/deploy.ndjson").trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last).event).toMatchObject({ kind: "CERT_DENIED", reason: "support-off" });
  });

  it.each([
    ["when access ends, where that is soon", granted("1969-12-31T00:00:00Z", "1970-01-01T00:20:00Z"), 1_200_000],
    ["after 1 h, where access lasts longer", granted("1970-01-01T00:00:00Z", "1970-01-05T00:00:00Z"), 3_600_000],
    ["after 1 h, where they are operators", "support: { access: operators }\n", 3_600_000],
  ])("ends %s, and is a record of the ledger", async (what, support, endsMs) => {
    saying(support);
    const file = `${what.length}-${endsMs}.pem`;
    const { exit, serial } = await issue("op-support-ada", file);
    expect(exit).toBe(0);
    expect(new X509Certificate(readFileSync(made.file(file))).validToDate.getTime()).toBe(endsMs);
    expect(read("authorities/ledger.ndjson")).toContain(`"${serial}"`);
  });

  it("is nobody else's business: an operator has theirs while access is off", async () => {
    saying("support: { access: off }\n");
    expect(await issue("op-ben")).toMatchObject({ exit: 0 });
  });
});
