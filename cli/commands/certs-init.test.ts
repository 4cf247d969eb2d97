import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAuthority } from "../../stacks/host/authority-key.ts";
import { TestCeremony } from "../test-ceremony.ts";
import { runCli } from "../test-io.ts";

const made = new TestCeremony();
const { cwd, dir, passphrase: PASSPHRASE, argv: INIT } = made;
const file = (name: string): string => made.file(name);
const run = (...argv: readonly string[]) => made.run(...argv);
const json = (...argv: readonly string[]) => made.json(...argv);

let printed: string;
let farewell: string;

/** Before anything is deployed. */
async function afterInit(): Promise<void> {
  for (const argv of [
    ["certs", "list"],
    ["certs", "crl"],
    ["certs", "issue", "op-ada", "-o", "op-ada.pem"],
  ]) {
    const fix = expect.stringMatching(/`trustkern up`.*on the machine that keeps this directory/);
    expect(await json(...argv)).toMatchObject({ exit: 6, error: { code: "NOT_DEPLOYED", fix } });
  }
  expect((await run("certs", "audit", "verify")).exit).toBe(0);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file("device.key")];
  const request = [...key, "-subj", "/CN=device", "-out", file("device.csr")];
  execFileSync("openssl", ["req", "-new", ...request], { stdio: "pipe" });
  const device = ["certs", "issue", "0a1b2c3d", "--maker", "acme-instruments", "--model", "TK 100"];
  expect(await json(...device, "--csr", "device.csr", "-o", "device.pem")).toMatchObject({ exit: 0 });
  const ledger = readFileSync(join(dir, "authorities/ledger.ndjson"), "utf8");
  expect(ledger.trim().split("\n").at(-1)).toContain('"actor":"cli:Ada"');
  expect((await run("certs", "audit", "verify")).exit).toBe(0);
}

beforeAll(async () => {
  const { exit, stdout, stderr } = await run(...INIT, "--witnesses", "Grace, Joan");
  expect(exit).toBe(0);
  [printed, farewell] = [stdout, stderr];
  await afterInit();
  await made.deploy();
}, 120_000);
afterAll(() => made.remove());

describe("certs init", () => {
  test("prints both fingerprints of every authority, and who was there", () => {
    expect(printed).toContain("conducted by Ada; witnessed by Grace, Joan");
    for (const name of ["root", "services", "gateways", "operators", "makers/acme-instruments"]) {
      const { fingerprint256 } = new X509Certificate(readFileSync(join(dir, "authorities", `${name}.crt`)));
      expect(printed.replaceAll(" ", "")).toContain(fingerprint256.replaceAll(":", "").toLowerCase());
    }
  });

  test("says what is where, and what comes next", () => {
    for (const part of [join(dir, "authorities"), file("safe.age"), "certs transcript verify", "trustkern up"]) {
      expect(farewell).toContain(part);
    }
  });

  test.each([["--dir", "other"], []])("is of the trustkern.yaml that is here, with %j", async (...argv) => {
    const at = { cwd: mkdtempSync(join(cwd, "with-a-file-")) };
    await runCli(["init", "--profile", "dev"], at);
    const token = "pki: { root: { kind: pkcs11, module: /none.so, token: root, pinFile: /none } }";
    appendFileSync(join(at.cwd, "trustkern.yaml"), `${token}\n`);
    const { stdout } = await runCli(["certs", "init", ...argv, "--json"], at);
    expect(JSON.parse(stdout).error.code).toMatch(/^SIGNER_/);
  });

  test("says of a medium that is not there that the file cannot be written", async () => {
    const { stdout } = await runCli([...INIT.with(3, "nowhere/safe.age"), "--dir", file("fresh"), "--json"], { cwd });
    expect(JSON.parse(stdout).error).toMatchObject({ code: "SIGNER_FAILED", fix: expect.stringContaining("mounted") });
  });

  test("leaves the root's key in the age file alone", () => {
    expect(readFileSync(file("safe.age"), "utf8")).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----/);
    expect(statSync(file("safe.age")).mode & 0o777).toBe(0o600);
    const names = readdirSync(join(dir, "authorities"), { recursive: true });
    expect(names).toContain("root.key.json");
    expect(names.filter((name) => String(name).startsWith("root.key"))).toEqual(["root.key.json"]);
    expect(readFileSync(join(dir, "authorities/root.key.json"), "utf8")).not.toContain(PASSPHRASE);
  });

  test("is refused where there are authorities, and touches neither them nor the root's file", async () => {
    const before = readFileSync(file("safe.age"));
    const answer = await json(...INIT.with(3, "other.age"));
    expect(answer).toMatchObject({ exit: 2, error: { code: "AUTHORITIES_EXIST" } });
    expect(existsSync(file("other.age"))).toBe(false);
    expect(readFileSync(file("safe.age")).equals(before)).toBe(true);
  });

  test.each([
    [["certs", "init"], "CLI_USAGE", 2],
    [["certs", "init", "--root-key", "a.age"], "CLI_USAGE", 2],
    [["certs", "init", "--root-key", "a.age", "--passphrase-file", "none"], "CUSTODY_PASSPHRASE_MISSING", 2],
    [["certs", "init", "--root-key", "a.age", "--passphrase-file", "short"], "CUSTODY_PASSPHRASE_WEAK", 2],
    [["certs", "init", "--root-key", "fresh/root.age", "--passphrase-file", "words"], "ROOT_KEY_ONLINE", 5],
    [["certs", "init", "--root-key", "words", "--passphrase-file", "words"], "SIGNER_KEY_EXISTS", 5],
    [[...INIT.with(3, "a.age"), "--witnesses", "Ada"], "CEREMONY_NAME_INVALID", 2],
    [[...INIT.slice(0, 6).with(3, "a.age"), "--makers", "ACME"], "CERT_NAME_INVALID", 2],
  ] as const)("is refused as %j, and leaves no key behind", async (argv, code, exit) => {
    const at = { cwd, env: { USER: "Ada" } };
    writeFileSync(file("short"), "words\n");
    const outcome = await runCli([...argv, "--dir", file("fresh"), "--json"], at);
    expect([JSON.parse(outcome.stdout).error.code, outcome.exit]).toEqual([code, exit]);
    expect([existsSync(file("a.age")), existsSync(file("fresh/authorities"))]).toEqual([false, false]);
    expect(readFileSync(file("words"), "utf8")).toBe(`${PASSPHRASE}\n`);
  });
});

describe("a deployment after certs init", () => {
  test("has leaves of the ceremony's authorities", async () => {
    const chain = readFileSync(join(dir, "secrets/backend/tls.crt"), "utf8");
    const services = readFileSync(join(dir, "authorities/services.crt"), "utf8");
    expect(chain).toContain(services.trim());
    expect(readFileSync(join(dir, "secrets/backend/ca.crt"), "utf8")).toBe(
      readFileSync(join(dir, "authorities/root.crt"), "utf8"),
    );
  });

  test("goes on without the root's medium, and says what it needs it for", async () => {
    cpSync(file("safe.age"), file("away.age"));
    rmSync(file("safe.age"));
    try {
      expect((await run("certs", "crl")).exit).toBe(0);
      await expect(openAuthority(join(dir, "authorities"), "root")).rejects.toMatchObject({
        code: "SIGNER_KEY_MISSING",
      });
      rmSync(join(dir, "authorities/crls/root.pem"));
      expect(await json("certs", "crl")).toMatchObject({ exit: 4, error: { code: "ROOT_KEY_ELSEWHERE" } });
    } finally {
      cpSync(file("away.age"), file("safe.age"));
    }
    expect((await run("certs", "crl")).exit).toBe(0);
  });

  test.each([
    [[], "ROOT_KEY_ELSEWHERE", 4],
    [["--root-key", "next.age"], "CLI_USAGE", 2],
    [["--passphrase-file", "words"], "CLI_USAGE", 2],
    [["--root-key", "safe.age", "--passphrase-file", "words"], "KEY_PLACE_TAKEN", 2],
    [["--root-key", "next.age", "--passphrase-file", "none"], "CUSTODY_PASSPHRASE_MISSING", 2],
    [["--root-key", "state/root.age", "--passphrase-file", "words"], "ROOT_KEY_ONLINE", 5],
    [["--root-key", "next.age", "--passphrase-file", "words", "--witnesses", "Ada"], "CEREMONY_NAME_INVALID", 2],
  ] as const)("does not replace its root with the options %j", async (options, code, exit) => {
    const answer = await json("certs", "rotate", "--what", "root", ...options);
    expect(answer).toMatchObject({ exit, error: { code } });
    for (const name of ["authorities/root.next.crt", "authorities/root.next.key.json", "rotation.json"]) {
      expect(existsSync(join(dir, name)), name).toBe(false);
    }
    expect(existsSync(file("next.age"))).toBe(false);
  });
});

describe("certs transcript verify", () => {
  test("accepts the deployment's own, and prints it", async () => {
    const { exit, stdout } = await run("certs", "transcript", "verify");
    expect([exit, stdout.trim()]).toEqual([0, printed.trim()]);
  });

  test("refuses it for another root, with another authority in use, and after a change", async () => {
    const jws = readFileSync(join(dir, "authorities/transcript.jws"), "utf8");
    writeFileSync(
      file("changed.jws"),
      jws.replace(/\.(.)/, (_, first) => (first === "A" ? ".B" : ".A")),
    );
    expect(await json("certs", "transcript", "verify", "changed.jws")).toMatchObject({ exit: 1, ok: false });
    const other = await json("certs", "transcript", "verify", "--root", join(dir, "authorities/services.crt"));
    expect(other).toMatchObject({ exit: 1, ok: false });
    const services = join(dir, "authorities/services.crt");
    const mine = readFileSync(services);
    cpSync(join(dir, "authorities/gateways.crt"), services);
    try {
      expect(await json("certs", "transcript", "verify")).toMatchObject({
        exit: 1,
        findings: [{ path: "certificates.services" }],
      });
    } finally {
      writeFileSync(services, mine);
    }
  });
});
