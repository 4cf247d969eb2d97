import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGenerationPackage } from "../../custody/package.ts";
import { hpkeDecapsulate, keyIdOf } from "../../protocol/hpke.ts";
import { TestEscrow } from "../escrow/test-escrow.ts";
import type { Outcome } from "../test-io.ts";

const room = new TestEscrow();
const json = (...argv: readonly string[]) => room.json(...argv);
const importKeyId = keyIdOf(Buffer.from(room.importKey, "hex")).toString("hex");

let ceremony: readonly string[];
let made: Outcome;
let keyId: string;

beforeAll(async () => {
  await room.prepare();
  const quorum = ["--threshold", "2", ...room.holders("anna", "ben", "cleo")];
  ceremony = ["keys", "ceremony", "--import-key", room.importKey, ...quorum];
  made = await room.run([...ceremony, "-o", "out", "--yes", "--rehearse", "--witnesses", "Grace, Joan"]);
  keyId = /generation-([0-9a-f]{16})/.exec(made.stderr)?.[1] ?? "";
}, 120_000);
afterAll(() => room.remove());

describe("keys ceremony", () => {
  test("writes an escrow file, a package, a share for each holder and a transcript, for nobody else to read", () => {
    expect(made.exit).toBe(0);
    expect(readdirSync(room.file("out")).sort()).toEqual(
      [
        ...[`escrow-${keyId}.json`, `generation-${keyId}.package.json`, "transcript.jws", "transcript.pub.pem"],
        ...["share-1-anna.age", "share-2-ben.age", "share-3-cleo.age"],
      ].sort(),
    );
    expect(statSync(room.file("out")).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(room.file("out"))) {
      expect(statSync(room.file(`out/${name}`)).mode & 0o777, name).toBe(0o600);
    }
    expect(readdirSync(room.cwd).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("prints who was there, who holds what, the import key's id, and that every share was in a rehearsal", () => {
    const printed = made.stdout.replaceAll(/(?<=[0-9a-f]{4}) (?=[0-9a-f]{4})/g, "");
    expect(printed).toContain("conducted by Ada; witnessed by Grace, Joan");
    expect(printed).toContain("2 of 3 shares");
    for (const name of ["anna", "ben", "cleo"])
      expect(printed).toContain(`${name} (customer) ${room.recipients[name]}`);
    expect(printed).toContain(importKeyId);
    expect(printed).toContain("brought     shares 1, 2, 3");
  });

  test("makes a package that the import key opens, of the generation that it names", async () => {
    const generation = await openGenerationPackage(Buffer.from(room.read(`out/generation-${keyId}.package.json`)), {
      tenant: "acme",
      importKeyId,
      decapsulate: async (enc) => hpkeDecapsulate(room.importPair.privateKey, enc),
    });
    expect(generation.keyId).toBe(keyId);
  });

  test("asks for a comparison of the import key, and makes nothing where nobody can be asked", async () => {
    const { exit, stderr } = await room.run([...ceremony, "-o", "fresh"]);
    expect([exit, existsSync(room.file("fresh"))]).toEqual([2, false]);
    expect(stderr).toContain("CONFIRMATION_NEEDED");
    expect(stderr).toContain(importKeyId);
  });

  test("says with --dry-run who would get what, and makes nothing", async () => {
    const answer = await json(...ceremony, "-o", "fresh", "--dry-run");
    expect(answer).toMatchObject({ exit: 0, dryRun: true, tenant: "acme", importKeyId, threshold: 2 });
    expect(answer.holders).toHaveLength(3);
    const { stdout } = await room.run([...ceremony, "-o", "fresh", "--dry-run"]);
    expect(stdout).toContain("share 2: ben (customer)");
    expect(stdout).toContain(`import key: ${importKeyId}\n`);
    expect(existsSync(room.file("fresh"))).toBe(false);
  });

  test("prints shares as text where that is asked for, and those alone that have nowhere else to go", async () => {
    const mixed = [...ceremony, "--holder", "dora", "--yes"];
    expect(await json(...mixed, "-o", "mixed")).toMatchObject({ exit: 2, error: { code: "CUSTODY_ESCROW_HOLDER" } });
    const { exit, stdout } = await room.run([...mixed, "-o", "mixed", "--print"]);
    expect(exit).toBe(0);
    expect(stdout.match(/tkshare1-/g)).toHaveLength(1);
    expect(stdout).toMatch(/share 4 of 4, for dora\nof the decryption key .* of acme, made .*\n.*\n\ntkshare1-/);
    expect(readdirSync(room.file("mixed")).filter((name) => name.startsWith("share-"))).toHaveLength(3);
    const all = await room.run([...mixed, "-o", "all", "--print-all"]);
    expect(all.stdout.match(/tkshare1-/g)).toHaveLength(4);
  });

  test("takes holders from custody.escrow, and lets no option override it", async () => {
    const other = new TestEscrow();
    const [anna, ben] = [room.recipients.anna, room.recipients.ben];
    const holders = `[{ name: anna, operator: customer, recipient: ${anna} }, { name: ben, operator: partner, recipient: ${ben} }]`;
    try {
      await other.prepare(`custody: { escrow: { threshold: 2, holders: ${holders} } }`);
      const argv = ["keys", "ceremony", "--import-key", room.importKey, "-o", "out", "--print", "--dry-run"];
      expect(await other.json(...argv.filter((each) => each !== "--print"))).toMatchObject({
        exit: 0,
        holders: [{ name: "anna" }, { name: "ben", operator: "partner" }],
      });
      for (const option of [
        ["--threshold", "2"],
        ["--holder", "cleo"],
      ]) {
        const answer = await other.json(...argv.filter((each) => each !== "--print"), ...option);
        expect(answer).toMatchObject({ exit: 2, error: { code: "CLI_USAGE", path: option[0] } });
      }
    } finally {
      other.remove();
    }
  });

  test.each([
    ["no import key", (argv: readonly string[]) => argv.toSpliced(2, 2), "CLI_USAGE"],
    ["half an import key", (argv: readonly string[]) => argv.with(3, "ab".repeat(16)), "CLI_USAGE"],
    ["an import key of low order", (argv: readonly string[]) => argv.with(3, "00".repeat(32)), "PROTOCOL_BAD_KEY"],
    ["no threshold", (argv: readonly string[]) => argv.toSpliced(4, 2), "CLI_USAGE"],
    ["one share that restores", (argv: readonly string[]) => argv.with(5, "1"), "CLI_USAGE"],
    ["more shares that restore than holders", (argv: readonly string[]) => argv.with(5, "4"), "CUSTODY_ESCROW_QUORUM"],
    ["no holder", (argv: readonly string[]) => argv.slice(0, 6), "CLI_USAGE"],
    [
      "a holder who is named twice",
      (argv: readonly string[]) => [...argv, "--holder", "anna"],
      "CUSTODY_ESCROW_HOLDER",
    ],
    [
      "a holder who is no file name",
      (argv: readonly string[]) => [...argv, "--holder", "../x"],
      "CUSTODY_ESCROW_HOLDER",
    ],
    ["a holder of nobody", (argv: readonly string[]) => [...argv, "--holder", "dora:us"], "CLI_USAGE"],
    ["an empty recipient", (argv: readonly string[]) => [...argv, "--holder", "dora="], "CLI_USAGE"],
    [
      "a recipient that is none",
      (argv: readonly string[]) => [...argv, "--holder", "dora=age1x"],
      "CUSTODY_ESCROW_HOLDER",
    ],
    [
      "a conductor who is a witness",
      (argv: readonly string[]) => [...argv, "--witnesses", "Ada"],
      "CEREMONY_NAME_INVALID",
    ],
    ["shares to print as JSON", (argv: readonly string[]) => [...argv, "--print"], "CLI_USAGE"],
  ])("is refused with %s, and leaves nothing", async (_, change, code) => {
    const answer = await json(...change(ceremony), "-o", "refused", "--yes");
    expect(answer).toMatchObject({ error: { code } });
    expect(existsSync(room.file("refused"))).toBe(false);
    expect(readdirSync(room.cwd).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test.each([
    ["as a recipient", (identity: string) => `dora=${identity}`],
    ["as a name", (identity: string) => identity],
    ["in lower case", (identity: string) => `dora=${identity.toLowerCase()}`],
  ])("does not say what was given %s that is an identity", async (_, holder) => {
    const identity = room.read("dora.txt").split("\n")[1] ?? "";
    const argv = [...ceremony, "--holder", holder(identity), "-o", "refused", "--yes"];
    const { exit, stdout, stderr } = await room.run(argv);
    expect([exit, stdout]).toEqual([5, ""]);
    expect(stderr).toContain("CUSTODY_SHARE_EXPOSED");
    expect(stderr.toUpperCase()).not.toContain(identity.slice(20));
  });

  test("asks nobody, and shows no share, where it could not be held to its end", async () => {
    const nowhere = [...ceremony, "--holder", "dora", "-o", "refused"];
    for (const more of [[], ["--dry-run"]]) {
      const answer = await json(...nowhere, ...more);
      expect(answer).toMatchObject({ exit: 2, error: { code: "CUSTODY_ESCROW_HOLDER" } });
      const weak = await json(...ceremony.with(3, "00".repeat(32)), "-o", "refused", ...more);
      expect(weak).toMatchObject({ error: { code: "PROTOCOL_BAD_KEY" } });
      const { exit, stdout, stderr } = await room.run([...ceremony, "-o", "no/where", "--print-all", "--yes", ...more]);
      expect([exit, stdout, stderr.includes("CUSTODY_ESCROW_FOLDER")]).toEqual([4, "", true]);
    }
  });

  test.each(["martian", "", "AGE-SECRET", "x".repeat(40)])(
    "says what an operator may be in place of %j",
    async (said) => {
      const { error } = await json(...ceremony, "--holder", `dora:${said}`, "-o", "refused", "--yes");
      const { code, message } = error as { readonly code: string; readonly message: string };
      expect([code, message]).toEqual(["CLI_USAGE", expect.stringContaining("customer, trustkern, partner")]);
      expect(message.includes(said || "dora")).toBe(said === "martian");
    },
  );

  test("leaves a folder alone that has something in it, or whose place is not there", async () => {
    mkdirSync(room.file("full"));
    writeFileSync(room.file("full/mine"), "mine");
    for (const folder of ["full", "nowhere/out", "trustkern.yaml"]) {
      const answer = await json(...ceremony, "-o", folder, "--yes");
      expect(answer).toMatchObject({ exit: 4, error: { code: "CUSTODY_ESCROW_FOLDER" } });
    }
    expect(readdirSync(room.file("full"))).toEqual(["mine"]);
  });

  test("needs a deployment's file: the tenant is bound for years", async () => {
    const { stdout } = await room.run([...ceremony, "-o", "out2", "--json"], { cwd: "/" });
    expect(JSON.parse(stdout).error.code).toBe("CLI_NO_DEPLOYMENT");
  });
});
