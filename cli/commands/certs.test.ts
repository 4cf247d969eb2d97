import { execFileSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { planEmbedded } from "../../stacks/embedded/plan.ts";
import { openAuthority } from "../../stacks/host/authority-key.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { prepareSecrets } from "../../stacks/host/secrets.ts";
import { writeState } from "../../stacks/host/state.ts";
import { runCli } from "../test-io.ts";

/** Random, so that nothing is stretched. */
const PASSPHRASE = randomBytes(32).toString("hex");
const cwd = mkdtempSync(join(tmpdir(), "tk-certs-cli-"));
const dir = join(cwd, "state");
const file = (name: string): string => join(cwd, name);
const run = (...argv: readonly string[]) => runCli([...argv, "--dir", dir], { cwd, env: { USER: "Ada" } });
const json = async (...argv: readonly string[]) => {
  const { exit, stdout } = await run(...argv, "--json");
  return { exit, ...(JSON.parse(stdout) as Record<string, never>) };
};
const INIT = ["certs", "init", "--root-key", "safe.age", "--passphrase-file", "words", "--makers", "acme-instruments"];

/** What `up` does before it starts anything. */
async function deploy(): Promise<void> {
  const deployment = defaultDeployment();
  const { tenant, pki } = deployment;
  const layout = layoutOf(dir, tmpdir());
  const { model, placement, ports } = await planEmbedded(deployment, layout, {});
  const existing = existsSync(layout.stateFile);
  const { secretFile } = placement;
  const clock = () => new Date(0);
  const rest = { existing, fixture: undefined, onEvent: () => undefined };
  await prepareSecrets({ layout, model, secretFile, tenant, pki, clock, ...rest });
  const createdAt = clock().toISOString();
  writeState(layout.stateFile, { schema: "trustkern.embedded-state/1", tenant, createdAt, ports, volumes: [] });
}

let printed: string;
beforeAll(async () => {
  writeFileSync(file("words"), `${PASSPHRASE}\n`);
  const { exit, stdout, stderr } = await run(...INIT, "--witnesses", "Grace, Joan");
  expect([exit, stderr]).toEqual([0, ""]);
  printed = stdout;
  await deploy();
}, 120_000);
afterAll(() => rmSync(cwd, { recursive: true }));

describe("certs init", () => {
  test("prints both fingerprints of every authority, and who was there", () => {
    expect(printed).toContain("conducted by Ada; witnessed by Grace, Joan");
    for (const name of ["root", "services", "gateways", "operators", "makers/acme-instruments"]) {
      const { fingerprint256 } = new X509Certificate(readFileSync(join(dir, "authorities", `${name}.crt`)));
      expect(printed.replaceAll(" ", "")).toContain(fingerprint256.replaceAll(":", "").toLowerCase());
    }
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
    [["certs", "init", "--root-key", "fresh/root.age", "--passphrase-file", "words"], "ROOT_KEY_ONLINE", 5],
    [["certs", "init", "--root-key", "words", "--passphrase-file", "words"], "SIGNER_KEY_EXISTS", 5],
    [[...INIT.with(3, "a.age"), "--witnesses", "Ada"], "CEREMONY_NAME_INVALID", 2],
    [[...INIT.slice(0, 6).with(3, "a.age"), "--makers", "ACME"], "CERT_NAME_INVALID", 2],
  ] as const)("is refused as %j, and leaves no key behind", async (argv, code, exit) => {
    const at = { cwd, env: { USER: "Ada" } };
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

  test("does not replace a key of the ceremony by one in a file", async () => {
    const answer = await json("certs", "rotate", "--what", "root");
    expect(answer).toMatchObject({ exit: 5, error: { code: "CEREMONY_NEEDED" } });
    expect(existsSync(join(dir, "authorities/root.next.crt"))).toBe(false);
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

describe("certs list", () => {
  test("has every authority and leaf with its place", async () => {
    const { certificates } = await json("certs", "list");
    const rows = certificates as readonly { usedBy: readonly string[]; state: string; class: string }[];
    const places = rows.flatMap(({ usedBy }) => usedBy);
    expect(places).toEqual(
      expect.arrayContaining([
        "authorities/root.crt",
        "authorities/makers/acme-instruments.crt",
        "secrets/backend/tls.crt",
      ]),
    );
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["ok"]));
  });

  test("is a table, or metrics, and nothing else", async () => {
    expect((await run("certs", "list")).stdout).toMatch(/^STATE +LEFT +UNTIL[^\n]+\nok +\d+ %/);
    const metrics = await run("certs", "list", "--format", "prometheus");
    expect(metrics.stdout).toMatch(/^trustkern_certificate_life_left_ratio\{.*used_by="secrets\/backend\/tls\.crt"/m);
    expect(await json("certs", "list", "--format", "xml")).toMatchObject({ exit: 2, error: { code: "CLI_USAGE" } });
  });
});

describe("certs issue", () => {
  test("makes an operator's key and certificate, for its owner's eyes, and enters it in the ledger", async () => {
    const { exit, serial } = await json("certs", "issue", "op-ada", "-o", "op-ada.pem");
    expect(exit).toBe(0);
    expect(statSync(file("op-ada.pem")).mode & 0o777).toBe(0o600);
    const certificate = new X509Certificate(readFileSync(file("op-ada.pem")));
    expect(certificate.subject).toBe("O=demo\nOU=operators\nCN=op-ada");
    expect(certificate.validToDate.getTime()).toBe(3_600_000);
    const ledger = readFileSync(join(dir, "authorities/ledger.ndjson"), "utf8").trim().split("\n");
    expect(JSON.parse(ledger.at(-1) ?? "")).toMatchObject({ kind: "issued", serial, actor: "cli:Ada" });
    expect((await run("certs", "audit", "verify")).exit).toBe(0);
  });

  test("certifies a gateway's and a device's request, and writes no key", async () => {
    const csr = (name: string, subject: string): string => {
      const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file(`${name}.key`)];
      execFileSync("openssl", ["req", "-new", ...key, "-subj", subject, "-out", file(`${name}.csr`)], {
        stdio: "pipe",
      });
      return `${name}.csr`;
    };
    const gateway = ["certs", "issue", "gw-07", "--csr", csr("gw-07", "/CN=gw-07"), "-o", "gw-07.pem"];
    expect((await run(...gateway)).exit).toBe(0);
    expect(readFileSync(file("gw-07.pem"), "utf8")).not.toContain("PRIVATE KEY");
    const device = ["certs", "issue", "0a1b2c", "--maker", "acme-instruments", "--model", "TK 100"];
    expect((await run(...device, "--csr", "gw-07.csr", "-o", "device.pem")).exit).toBe(0);
    expect(new X509Certificate(readFileSync(file("device.pem"))).subject).toContain("OU=devices\nOU=acme-instruments");
    const foreign = await json("certs", "issue", "gw-08", "--csr", "gw-07.csr", "-o", "gw-08.pem");
    expect(foreign).toMatchObject({ exit: 5, error: { code: "DENIED_FOREIGN_NAME" } });
    expect(existsSync(file("gw-08.pem"))).toBe(false);
  });

  test.each([
    [["op-ada"], "CLI_USAGE"],
    [["ada", "-o", "x.pem"], "CLI_USAGE"],
    [["svc-x", "-o", "x.pem", "--csr", "words"], "CLI_USAGE"],
    [["gw-07", "-o", "x.pem", "--csr", "words"], "DENIED_CORRUPT"],
    [["op-Ada", "-o", "x.pem"], "CERT_NAME_INVALID"],
    [["op-ada", "-o", "words"], "CLI_FILE_EXISTS"],
    [["0a1b", "-o", "x.pem", "--maker", "nobody", "--model", "X", "--csr", "words"], "CLI_USAGE"],
    [["0a1b", "-o", "x.pem", "--maker", "acme-instruments", "--model", "X"], "CLI_USAGE"],
  ] as const)("is refused as %j", async (argv, code) => {
    expect(await json("certs", "issue", ...argv)).toMatchObject({ error: { code } });
    expect(existsSync(file("x.pem"))).toBe(false);
  });
});

describe("certs export", () => {
  test("gives a browser what certs issue wrote", async () => {
    await run("certs", "issue", "op-web", "-o", "op-web.pem");
    const argv = ["certs", "export", "op-web.pem", "-o", "op-web.p12", "--passphrase-file", "words"];
    expect((await run(...argv)).exit).toBe(0);
    expect(statSync(file("op-web.p12")).mode & 0o777).toBe(0o600);
    const args = ["pkcs12", "-in", file("op-web.p12"), "-nodes", "-passin", `file:${file("words")}`];
    expect(execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" })).toContain("CN = op-web");
    expect(await json(...argv)).toMatchObject({ error: { code: "CLI_FILE_EXISTS" } });
  });

  test("is refused without a key, a passphrase, or a file", async () => {
    const rest = ["-o", "x.p12", "--passphrase-file", "words"];
    const code = async (...argv: readonly string[]) => (await json("certs", "export", ...argv)) as { error?: unknown };
    expect(await code("words", ...rest)).toMatchObject({ error: { code: "CERT_AUTHORITY_INVALID" } });
    expect(await code("none.pem", ...rest)).toMatchObject({ error: { code: "CLI_FILE" } });
    expect(await code("words", "-o", "x.p12")).toMatchObject({ error: { code: "CLI_USAGE" } });
    expect(existsSync(file("x.p12"))).toBe(false);
  });
});
