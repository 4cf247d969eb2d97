import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCeremony } from "../test-ceremony.ts";
import { runCli } from "../test-io.ts";

const USER_OF_SYSTEM = `import("./cli/io.ts").then(({ processIo }) => process.stdout.write(processIo().user())), ""`;

const made = new TestCeremony();
const { dir } = made;
const file = (name: string): string => made.file(name);
const run = (...argv: readonly string[]) => made.run(...argv);
const json = (...argv: readonly string[]) => made.json(...argv);

/** What the ledger has, but for what commands ask the backend with. */
function records(): readonly { readonly subject: string }[] {
  const lines = readFileSync(join(dir, "authorities/ledger.ndjson"), "utf8").trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as { readonly subject: string })
    .filter(({ subject }) => subject !== "op-admin");
}

beforeAll(async () => {
  expect((await run(...made.argv)).exit).toBe(0);
  await made.deploy();
}, 120_000);
afterAll(() => made.remove());

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

  test("has what was issued by hand, and says when that is revoked", async () => {
    const { serial } = await json("certs", "issue", "op-hand", "-o", "op-hand.pem");
    const row = async () => {
      const { certificates } = await json("certs", "list");
      return (certificates as readonly { serial: string }[]).filter((each) => each.serial === serial);
    };
    expect(await row()).toMatchObject([{ state: "ok", usedBy: ["fleet/op-hand"], class: "operators" }]);
    await json("certs", "revoke", String(serial), "--yes");
    expect(await row()).toMatchObject([{ state: "revoked" }]);
  });

  test("has the host's part, and says so, where it is asked for the fleet's and no backend answers", async () => {
    const { exit, fleet, certificates } = await json("certs", "list", "--fleet");
    expect([exit, fleet]).toMatchObject([0, { state: "missing", code: "SERVICE_FAILED" }]);
    expect(certificates).toEqual((await json("certs", "list")).certificates);
    const { stdout, stderr } = await run("certs", "list", "--fleet");
    expect(stdout).toMatch(/^STATE/);
    expect(stderr).toMatch(/fleet's certificates are missing/);
  });

  test("says that the fleet's part is not in it, where nobody asked", async () => {
    expect((await json("certs", "list")).fleet).toEqual({ state: "not-asked" });
    expect((await run("certs", "list")).stderr).toMatch(/--fleet/);
    expect((await run("certs", "list", "--format", "prometheus")).stderr).toBe("");
  });

  test("is a table, or metrics, and nothing else", async () => {
    expect((await run("certs", "list")).stdout).toMatch(/^STATE +LEFT +UNTIL[^\n]+\n(?:.+\n)*?ok +\d+ %/);
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
    expect(records().at(-1)).toMatchObject({ kind: "issued", serial, actor: "cli:Ada" });
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
    [["op-ada", "-o", "nowhere/x.pem"], "CLI_OUTPUT"],
    [["svc-evil", "-o", "x.pem"], "DENIED_NAME_NOT_ALLOWED"],
    [["svc-probe-revoked", "-o", "x.pem"], "DENIED_NAME_NOT_ALLOWED"],
    [["svc-vendor-metrics", "-o", "x.pem"], "DENIED_NAME_NOT_ALLOWED"],
    [["0a1b", "-o", "x.pem", "--maker", "nobody", "--model", "X", "--csr", "words"], "CLI_USAGE"],
    [["0a1b", "-o", "x.pem", "--maker", "acme-instruments", "--model", "X"], "CLI_USAGE"],
  ] as const)("is refused as %j, with nothing issued", async (argv, code) => {
    const before = records();
    expect(await json("certs", "issue", ...argv)).toMatchObject({ error: { code } });
    expect(existsSync(file("x.pem"))).toBe(false);
    expect(records()).toEqual(before);
  });

  test("says when the certificate ends", async () => {
    const { stdout } = await run("certs", "issue", "op-end", "-o", "op-end.pem");
    expect(stdout).toMatch(/^op-end\.pem: op-end, serial number [0-9a-f]+, until 1970-01-01T01:00:00\.000Z\n$/);
    expect((await json("certs", "issue", "svc-backend", "-o", "svc.pem")).until).toBe("1970-01-31T00:00:00.000Z");
  });

  test("has the user of the system in the ledger where the environment names none", async () => {
    await runCli(["certs", "issue", "op-cron", "-o", "op-cron.pem", "--dir", dir], { cwd: made.cwd });
    expect(records().at(-1)).toMatchObject({ subject: "op-cron", actor: "cli:somebody" });
    const { USER, ...none } = process.env;
    expect(execFileSync("node", ["-p", USER_OF_SYSTEM], { env: none, encoding: "utf8" }).trim()).toBe(
      userInfo().username,
    );
  });
});

describe("certs crl", () => {
  test("lists every issuer's, and writes them once", async () => {
    expect((await run("certs", "crl")).stdout).toMatch(/CN=TrustKern gateways +number 1 /);
    const { stdout, exit } = await run("certs", "crl", "-o", "lists.pem");
    expect([exit, stdout]).toEqual([0, "lists.pem: 5 revocation lists\n"]);
    const before = readFileSync(file("lists.pem"), "utf8");
    expect(before.match(/BEGIN X509 CRL/g)).toHaveLength(5);
    expect(await json("certs", "crl", "-o", "lists.pem")).toMatchObject({ error: { code: "CLI_FILE_EXISTS" } });
    expect(readFileSync(file("lists.pem"), "utf8")).toBe(before);
  });

  test("writes what openssl verifies a leaf and its issuer with", async () => {
    const lists = readFileSync(file("lists.pem"), "utf8");
    const chain = readFileSync(join(dir, "secrets/gw-01/tls.crt"), "utf8");
    const [leaf = "", issuer = ""] = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
    const at = ["-attime", "1", "-x509_strict", "-crl_check_all"];
    const named = { "leaf.pem": leaf, "issuer.pem": issuer, "all.pem": lists };
    for (const [name, content] of Object.entries(named)) writeFileSync(file(name), content);
    const argv = ["-CAfile", join(dir, "authorities/root.crt"), "-untrusted", file("issuer.pem"), "-CRLfile"];
    const said = execFileSync("openssl", ["verify", ...at, ...argv, file("all.pem"), file("leaf.pem")]);
    expect(String(said)).toContain("OK");
  });
});

describe("certs revoke", () => {
  const serialOf = (path: string): string =>
    new X509Certificate(readFileSync(join(dir, path))).serialNumber.toLowerCase().replace(/^0+/, "");
  const ledger = (): string => readFileSync(join(dir, "authorities/ledger.ndjson"), "utf8");

  test("asks first, and says what is lost with an authority", async () => {
    const before = ledger();
    const leaf = await json("certs", "revoke", serialOf("secrets/backend/tls.crt"));
    expect(leaf).toMatchObject({
      error: { code: "CONFIRMATION_NEEDED", message: expect.stringContaining("svc-backend") },
    });
    const authority = await json("certs", "revoke", serialOf("authorities/gateways.crt"));
    expect(authority.error).toMatchObject({
      code: "CONFIRMATION_NEEDED",
      message: expect.stringContaining("everything"),
    });
    expect(ledger()).toBe(before);
  });

  test("enters the operator's certificate that it shows to the backend", async () => {
    const issued = (): number =>
      ledger()
        .split("\n")
        .filter((line) => /"kind":"issued".*op-admin/.test(line)).length;
    const before = issued();
    expect(await json("gateway", "list")).toMatchObject({ error: { code: "SERVICE_FAILED" } });
    expect(issued()).toBe(before + 1);
  });

  test.each(["root", "services", "operators"])(
    "leaves the authority %s in force, and says how to replace it",
    async (name) => {
      const answer = await json("certs", "revoke", serialOf(`authorities/${name}.crt`), "--yes");
      expect(answer).toMatchObject({ error: { code: "CERT_IN_FORCE", fix: expect.stringContaining("certs rotate") } });
    },
  );

  test("enters the revocation and lists it, though no backend hears of it", async () => {
    const serial = serialOf("secrets/gw-01/tls.crt");
    const answer = await json("certs", "revoke", serial, "--reason", "keyCompromise", "--yes");
    expect(answer).toMatchObject({
      error: {
        code: "SERVICE_FAILED",
        message: expect.stringContaining("is revoked in the ledger"),
        fix: expect.stringContaining("certs crl --publish"),
      },
    });
    const last = ledger()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === "revoked");
    expect(last).toContainEqual(expect.objectContaining({ serial, subject: "gw-01", reason: "keyCompromise" }));
    const list = readFileSync(join(dir, "authorities/crls/gateways.pem"), "utf8");
    const text = execFileSync("openssl", ["crl", "-noout", "-text"], { input: list, encoding: "utf8", stdio: "pipe" });
    expect(text.toLowerCase()).toContain(serial);
  });

  test("enters nothing a second time, whatever reason is given then", async () => {
    const serial = serialOf("secrets/gw-01/tls.crt");
    const before = ledger();
    expect(await json("certs", "revoke", serial, "--reason", "superseded")).toMatchObject({
      error: { code: "SERVICE_FAILED" },
    });
    const changed = ledger().slice(before.length).trim().split("\n");
    expect(changed.filter((line) => line.includes('"kind":"revoked"'))).toEqual([]);
  });

  test("names who shows it, before it is revoked", async () => {
    const { error } = await json("certs", "revoke", serialOf("secrets/collector/tls.crt"));
    expect(error).toMatchObject({ code: "CONFIRMATION_NEEDED", message: expect.stringContaining("collector") });
  });

  test.each(["op-ada", "0x1a", ""])("takes no %j for a serial number", async (text) => {
    const before = ledger();
    expect(await json("certs", "revoke", text, "--yes")).toMatchObject({ exit: 2, error: { code: "CLI_USAGE" } });
    expect(ledger()).toBe(before);
  });

  test("refuses a reason that RFC 5280 does not have", async () => {
    expect(await json("certs", "revoke", "1a", "--reason", "bored")).toMatchObject({
      exit: 2,
      error: { code: "CLI_USAGE" },
    });
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
    expect(await code("words", ...rest)).toMatchObject({ error: { code: "CLI_NO_KEY" } });
    const [web, ada] = ["op-web.pem", "op-ada.pem"].map((name) =>
      readFileSync(file(name), "utf8").split(/(?=-----BEGIN C)/),
    );
    writeFileSync(file("mixed.pem"), [ada?.[0], ...(web ?? []).slice(1)].join(""));
    expect(await code("mixed.pem", ...rest)).toMatchObject({
      error: { code: "CERT_AUTHORITY_INVALID", fix: expect.stringContaining("the certificate's own key") },
    });
    expect(await code("none.pem", ...rest)).toMatchObject({ error: { code: "CLI_FILE" } });
    expect(await code("words", "-o", "x.p12")).toMatchObject({ error: { code: "CLI_USAGE" } });
    expect(existsSync(file("x.p12"))).toBe(false);
  });
});
