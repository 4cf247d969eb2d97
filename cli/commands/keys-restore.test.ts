import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGenerationPackage } from "../../custody/package.ts";
import { hpkeDecapsulate, keyIdOf } from "../../protocol/hpke.ts";
import { TestEscrow } from "../escrow/test-escrow.ts";

const room = new TestEscrow();
const json = (...argv: readonly string[]) => room.json(...argv);
const importKeyId = keyIdOf(Buffer.from(room.importKey, "hex")).toString("hex");

let escrow: string;
/** Files with the shares of the set in force. */
let shares: readonly string[];
let rehearse: readonly string[];

beforeAll(async () => {
  await room.prepare();
  rehearse = ["keys", "rehearse", ...(await room.hold("out"))];
  escrow = room.find("out", /^escrow-/);
  shares = room.shares("out", "anna", "ben", "cleo");
}, 120_000);
afterAll(() => room.remove());

const transcriptLines = (): number => room.read("out/transcript.jws").trim().split("\n").length;
const [anna, ben] = [() => shares[0] ?? "", () => shares[1] ?? ""];

describe("keys restore", () => {
  const restore = () => ["keys", "restore", ...rehearse.slice(2), "--import-key", room.importKey];

  test("makes a package that the import key opens, after the transcript has it", async () => {
    const answer = await json(...restore(), anna(), shares[2] ?? "", "-o", "back.json", "--yes");
    expect(answer).toMatchObject({ exit: 0, act: "restored", used: [1, 3], package: { importKey: room.importKey } });
    const recipient = {
      tenant: "acme",
      importKeyId,
      decapsulate: async (enc: Uint8Array) => hpkeDecapsulate(room.importPair.privateKey, enc),
    };
    const generation = await openGenerationPackage(readFileSync(room.file("back.json")), recipient);
    expect(escrow).toContain(generation.keyId);
  });

  test.each([
    ["nobody who compares the import key", ["-o", "refused"], "CONFIRMATION_NEEDED"],
    ["no output", ["--yes"], "CLI_USAGE"],
    ["an output that is there", ["-o", "back.json", "--yes"], "CLI_FILE_EXISTS"],
    ["one share too few", ["-o", "refused", "--yes"], "CUSTODY_SHARES_TOO_FEW"],
    ["a low-order import key", ["-o", "refused", "--yes", "--import-key", "00".repeat(32)], "PROTOCOL_BAD_KEY"],
    ["a transcript out of reach", ["-o", "refused", "--yes", "--transcript", "no/t"], "CLI_OUTPUT"],
  ])("is refused with %s, and leaves no package", async (_, options, code) => {
    const before = transcriptLines();
    const brought = code === "CUSTODY_SHARES_TOO_FEW" ? [anna()] : [anna(), ben()];
    expect(await json(...restore(), ...brought, ...options)).toMatchObject({ error: { code } });
    expect([existsSync(room.file("refused")), transcriptLines()]).toEqual([false, before]);
  });
});

describe("keys reshare", () => {
  const reshare = () => ["keys", "reshare", ...rehearse.slice(2), anna(), ben(), "--threshold", "2"];

  test("gives the same key to other holders, whose shares and the old ones make nothing together", async () => {
    const before = new Map(readdirSync(room.file("out")).map((name) => [name, room.read(`out/${name}`)]));
    const { exit, stdout, stderr } = await room.run([
      ...[...reshare(), ...room.holders("cleo", "dora"), "-o", "anew", "--rehearse"],
    ]);
    expect(exit).toBe(0);
    expect(stdout).toContain("shares dealt anew");
    expect(stderr).toContain("still restores this key with its own escrow file");
    for (const [name, content] of before) expect(room.read(`out/${name}`)).toBe(content);
    const again = ["keys", "rehearse", "--escrow", room.find("anew", /^escrow-/), "-i", "cleo.txt,dora.txt,anna.txt"];
    const fresh = [room.find("anew", /cleo/), room.find("anew", /dora/)];
    expect(await json(...again, ...fresh)).toMatchObject({ exit: 0, keyId: /escrow-(\w+)/.exec(escrow)?.[1] });
    expect(await json(...again, anna(), fresh[1] ?? "")).toMatchObject({
      exit: 2,
      error: { code: "CUSTODY_SHARE_OTHER_SET", path: anna() },
    });
    expect(await json(...rehearse, anna(), ben())).toMatchObject({ exit: 0 });
  });

  test("is refused for another tenant's deployment", async () => {
    await room.run(["init", "--profile", "dev", "--tenant", "other", "-o", "other.yaml"]);
    const answer = await json(...reshare(), ...room.holders("cleo", "dora"), "-o", "x", "-f", "other.yaml");
    expect(answer).toMatchObject({ exit: 5, error: { code: "CUSTODY_SHARE_FOREIGN", path: "--escrow" } });
  });

  test("is refused with a share too few, or nobody to get the new ones, and leaves nothing", async () => {
    const two = room.holders("cleo", "dora");
    const few = reshare().filter((each) => each !== ben());
    expect(await json(...few, ...two, "-o", "x")).toMatchObject({ error: { code: "CUSTODY_SHARES_TOO_FEW" } });
    expect(await json(...reshare(), "-o", "x")).toMatchObject({ error: { code: "CLI_USAGE" } });
    const nobody = ["--holder", "cleo", "--holder", "dora"];
    expect(await json(...reshare(), ...nobody, "-o", "x")).toMatchObject({ error: { code: "CUSTODY_ESCROW_HOLDER" } });
    expect(existsSync(room.file("x"))).toBe(false);
  });

  test("says with --dry-run whether the shares would do", async () => {
    const argv = [...reshare(), ...room.holders("cleo", "dora"), "-o", "x", "--dry-run"];
    expect(await json(...argv)).toMatchObject({
      ...{ exit: 0, ok: true, threshold: 2 },
      plan: {
        threshold: 2,
        holders: [
          { index: 1, name: "cleo" },
          { index: 2, name: "dora" },
        ],
      },
    });
    expect((await room.run(argv)).stdout).toContain(`share 2: dora (customer), ${room.recipients.dora}`);
    expect(existsSync(room.file("x"))).toBe(false);
  });

  test("is refused with --dry-run for what the run would be refused for", async () => {
    const nobody = ["--holder", "cleo", "--holder", "dora", "-o", "x", "--dry-run"];
    expect(await json(...reshare(), ...nobody)).toMatchObject({ exit: 2, error: { code: "CUSTODY_ESCROW_HOLDER" } });
    const none = ["--holder", "cleo=age1x", "--holder", "dora", "-o", "x", "--print", "--dry-run"];
    expect((await room.run([...reshare(), ...none])).stderr).toContain("CUSTODY_ESCROW_HOLDER");
  });
});
