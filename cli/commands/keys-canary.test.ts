import { readdirSync, readFileSync } from "node:fs";
import { armor, Decrypter } from "age-encryption";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseEscrow } from "../../custody/escrow/escrow-file.ts";
import { recover } from "../../custody/escrow/recover.ts";
import { parseShare } from "../../custody/escrow/share.ts";
import { TestEscrow } from "../escrow/test-escrow.ts";

const room = new TestEscrow();
/** Everything that was printed. */
let printed = "";
/** What must stand nowhere, each as bytes. */
const canaries: Uint8Array[] = [];
const texts: string[] = [];

async function run(...argv: readonly string[]): Promise<void> {
  const { exit, stdout, stderr } = await room.run(argv);
  expect(exit, stderr).toBe(0);
  printed += stdout + stderr;
}

/** The shares of a folder as their holders read them, and the secrets behind them. */
async function collect(folder: string): Promise<void> {
  const decrypter = new Decrypter();
  for (const name of ["anna", "ben", "cleo", "dora"])
    decrypter.addIdentity(room.read(`${name}.txt`).split("\n")[1] ?? "");
  const given = [];
  for (const name of readdirSync(room.file(folder)).filter((each) => each.endsWith(".age"))) {
    const text = (await decrypter.decrypt(armor.decode(room.read(`${folder}/${name}`)), "text")).trim();
    given.push({ source: name, text });
    texts.push(text, text.replaceAll("-", ""));
    canaries.push(parseShare(text, name).bytes);
  }
  const escrow = parseEscrow(room.read(room.find(folder, /^escrow-/)), folder);
  const { secrets } = await recover(escrow, given);
  canaries.push(secrets.privateKey, secrets.ceremonyKey.subarray(36, 68));
}

beforeAll(async () => {
  await room.prepare();
  const importing = ["--import-key", room.importKey, "--yes"];
  const quorum = ["--threshold", "2", "--rehearse"];
  await run("keys", "ceremony", ...importing, ...quorum, ...room.holders("anna", "ben", "cleo"), "-o", "one");
  await run("keys", "ceremony", ...importing, ...quorum, ...room.holders("anna", "ben"), "-o", "two", "--json");
  for (const more of [[], ["--json"]]) {
    const brought = [room.find("one", /anna/), room.find("one", /cleo/), "-i", "anna.txt,cleo.txt", ...more];
    const of = ["--escrow", room.find("one", /^escrow-/), ...brought];
    const output = `three${more.length}`;
    await run("keys", "rehearse", ...of);
    await run("keys", "rehearse", ...of, "--dry-run");
    await run("keys", "restore", ...of, ...importing, "-o", `${output}.json`);
    await run("keys", "reshare", ...of, ...quorum, ...room.holders("ben", "dora"), "-o", output);
  }
  for (const folder of ["one", "two", "three0", "three1"]) await collect(folder);
}, 120_000);
afterAll(() => room.remove());

test("no command prints a key or a share, or writes one where its holder alone cannot read it", () => {
  expect(canaries.length).toBeGreaterThan(12);
  const files = readdirSync(room.cwd, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && !/^(?:anna|ben|cleo|dora)\.txt$/.test(each.name))
    .map((each) => readFileSync(`${each.parentPath}/${each.name}`).toString("latin1"));
  expect(files.length).toBeGreaterThan(20);
  // What is signed is base64url, and says more once it is decoded.
  const decoded = files
    .filter((text) => text.startsWith("ey"))
    .flatMap((text) => text.split(/[.\n]/).map((part) => Buffer.from(part, "base64url").toString("latin1")));
  expect(decoded.join("")).toContain('"act":"made"');
  const places = [printed, ...files, ...decoded].map((text) => [text, text.toLowerCase()] as const);
  for (const [text, lower] of places) {
    for (const bytes of canaries.map((each) => Buffer.from(each))) {
      expect(text.includes(bytes.toString("latin1"))).toBe(false);
      expect(lower.includes(bytes.toString("hex"))).toBe(false);
      // Wherever the bytes begin in a group of three, some 30 of them stand in the encoding as they do here.
      for (const skip of [0, 1, 2]) {
        const part = bytes.subarray(skip, skip + 3 * Math.floor((bytes.length - skip) / 3));
        for (const encoding of ["base64", "base64url"] as const) {
          expect(text.includes(part.toString(encoding).replace(/=+$/, ""))).toBe(false);
        }
      }
    }
    for (const share of texts) expect(lower.includes(share)).toBe(false);
  }
});
