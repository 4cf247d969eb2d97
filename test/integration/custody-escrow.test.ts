import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { armor, Decrypter } from "age-encryption";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestEscrow } from "../../cli/escrow/test-escrow.ts";

const MAIN = join(import.meta.dirname, "../../cli/main.ts");
const room = new TestEscrow();
const IDENTITIES = ["-i", "anna.txt,ben.txt,cleo.txt,dora.txt"];
let ceremony: readonly string[];
let old: readonly string[];

beforeAll(async () => {
  await room.prepare();
  ceremony = ["keys", "ceremony", "--import-key", room.importKey, "--threshold", "2", "--yes"];
  const { exit } = await room.run([...ceremony, ...room.holders("anna", "ben", "cleo"), "-o", "old"]);
  expect(exit).toBe(0);
  old = sharesOf("old", "anna", "ben");
});
afterAll(() => room.remove());

/** `--escrow`, identities and shares of a folder. */
function sharesOf(folder: string, ...names: readonly string[]): readonly string[] {
  const shares = names.map((name) => room.find(folder, new RegExp(`-${name}\\.age$`)));
  return ["--escrow", room.find(folder, /^escrow-/), ...IDENTITIES, ...shares];
}

/** Runs a command that the kernel kills as it enters a system call for the n-th time. */
function killed(argv: readonly string[], call: string, n: number): boolean {
  const trace = ["-f", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${n}`];
  const { status, signal, stderr } = spawnSync("strace", [...trace, process.execPath, MAIN, ...argv], {
    cwd: room.cwd,
  });
  if (status === 0) return false;
  expect([signal ?? status, stderr.toString()]).toEqual(["SIGKILL", expect.not.stringContaining("error")]);
  return true;
}

const restores = async (shares: readonly string[]): Promise<unknown> => {
  const { exit, keyId } = await room.json("keys", "rehearse", ...shares);
  return exit === 0 ? keyId : undefined;
};

describe.each(["mkdir", "rename", "fsync"])("kill -9 at every %s", (call) => {
  test("of a re-share leaves the old set, and the new one whole or not at all", async () => {
    const keyId = await restores(old);
    expect(keyId).toBeDefined();
    let deaths = 0;
    for (let n = 1; ; n++) {
      const folder = `new-${call}-${n}`;
      const argv = ["keys", "reshare", ...old, "--threshold", "2", ...room.holders("cleo", "dora"), "-o", folder];
      const died = killed(argv, call, n);
      expect(await restores(old), `${call} ${n}`).toBe(keyId);
      const there = existsSync(room.file(folder));
      if (there) expect(await restores(sharesOf(folder, "cleo", "dora")), `${call} ${n}`).toBe(keyId);
      if (!died) {
        expect(there).toBe(true);
        break;
      }
      deaths += 1;
    }
    expect(deaths).toBeGreaterThanOrEqual(call === "mkdir" ? 1 : 6);
  });

  test("of a ceremony leaves a whole folder or none, and the same command works after it", async () => {
    const folder = `made-${call}`;
    const argv = [...ceremony, ...room.holders("cleo", "dora"), "-o", folder];
    for (let n = 1; !existsSync(room.file(folder)); n++) killed(argv, call, n);
    expect(await restores(sharesOf(folder, "cleo", "dora"))).toBeDefined();
    expect(readdirSync(room.file(folder)).some((name) => name.startsWith("generation-"))).toBe(true);
  });
});

test("kill -9 as a transcript is replaced leaves the old or the new one", async () => {
  const argv = ["keys", "rehearse", ...old];
  const lines = () => room.read("old/transcript.jws").trim().split("\n").length;
  const before = lines();
  expect(killed(argv, "rename", 1)).toBe(true);
  expect(lines()).toBeLessThanOrEqual(before + 1);
  const between = lines();
  expect(await restores(old)).toBeDefined();
  expect(lines()).toBe(between + 1);
});

test("a share that is typed on a terminal is not shown there", async () => {
  const texts = await Promise.all(["anna", "ben"].map(textOf));
  const [shown, exit] = await typeInto(["keys", "rehearse", "--escrow", room.find("old", /^escrow-/)], texts);
  expect([exit, shown]).toEqual([0, expect.stringContaining("restored and proved in a rehearsal")]);
  expect(shown.match(/not shown: /g)).toHaveLength(2);
  for (const text of texts) expect(shown).not.toContain(text.slice(40, 50));
});

async function textOf(holder: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(room.read(`${holder}.txt`).split("\n")[1] ?? "");
  return decrypter.decrypt(armor.decode(room.read(room.find("old", new RegExp(`-${holder}\\.age$`)))), "text");
}

/** Runs a command on a terminal, and types a line at each question that wants one; gives all that the terminal showed. */
function typeInto(argv: readonly string[], lines: readonly string[]): Promise<readonly [string, number | null]> {
  const command = [process.execPath, MAIN, ...argv].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qfec", command, "/dev/null"], { cwd: room.cwd, stdio: ["pipe", "pipe", "inherit"] });
  let [shown, asked] = ["", 0];
  child.stdout.on("data", (chunk) => {
    shown += chunk;
    if ((shown.match(/not shown: /g)?.length ?? 0) === asked) return;
    child.stdin.write(`${lines[asked]?.trim()}\r`);
    asked += 1;
  });
  return new Promise((resolve) => child.once("close", (exit) => resolve([shown, exit])));
}
