import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { issueGatewayLeaf } from "../certs/classes/leaf-gateway.ts";
import { openAuthority } from "../stacks/host/authority-key.ts";
import { TestCeremony } from "./test-ceremony.ts";
import { runCli } from "./test-io.ts";

// Whether anything runs is asked before the root is opened, and nothing runs in these tests.
vi.mock("../stacks/host/rotation/running.ts", () => ({ assertSomebodyRuns: () => undefined }));

const made = new TestCeremony();
const log = join(made.dir, "logs/deploy.ndjson");
const P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const openssl = (...args: readonly string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });
/** Files that a row spoils, as they were. */
const before = new Map<string, Buffer>();

/** Makes a request with openssl, which asks nobody what it may ask for. */
function request(subject: string, key: readonly string[] = P256, more: readonly string[] = []): void {
  openssl("req", "-new", ...key, "-nodes", "-keyout", at("x.key"), "-subj", subject, ...more, "-out", at("x.csr"));
}

function at(name: string): string {
  return made.file(name);
}

function spoil(path: string, text: string): void {
  const file = join(made.dir, path);
  before.set(file, readFileSync(file));
  writeFileSync(file, text);
}

/** The request with the last byte of its signature changed. */
function forged(): void {
  request("/CN=gw-07");
  openssl("req", "-in", at("x.csr"), "-outform", "DER", "-out", at("x.der"));
  const der = readFileSync(at("x.der"));
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const base64 = der.toString("base64").replaceAll(/.{64}/g, "$&\n");
  writeFileSync(at("x.csr"), `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`);
}

const events = (): readonly Record<string, unknown>[] =>
  existsSync(log)
    ? readFileSync(log, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).event)
    : [];
const denied = () => events().filter(({ kind }) => kind === "CERT_DENIED");
const issue = ["certs", "issue", "gw-07", "--csr", "x.csr", "-o", "x.pem"];

beforeAll(async () => {
  expect((await made.run(...made.argv)).exit).toBe(0);
  await made.deploy();
}, 120_000);
beforeEach(() => rmSync(log, { force: true }));
afterEach(() => {
  for (const [file, content] of before) writeFileSync(file, content);
  before.clear();
});
afterAll(() => made.remove());

describe("bad input has a reason, an exit code and an event", () => {
  test.each<[string, () => void, readonly string[], string, number, string]>([
    ["a weak key", () => request("/CN=gw-07", ["-newkey", "rsa:1024"]), issue, "DENIED_WEAK_KEY", 5, "weak-key"],
    ["a bad self-signature", forged, issue, "DENIED_BAD_SELF_SIGNATURE", 3, "bad-self-signature"],
    ["somebody else's name", () => request("/CN=gw-08"), issue, "DENIED_FOREIGN_NAME", 5, "foreign-name"],
    ["a gateway as a service", () => request("/CN=svc-broker"), issue, "DENIED_WRONG_CLASS", 5, "wrong-class"],
    ["another tenant", () => request("/O=other/CN=gw-07"), issue, "DENIED_FOREIGN_TENANT", 5, "foreign-tenant"],
    [
      "another usage",
      () => request("/CN=gw-07", P256, ["-addext", "basicConstraints=critical,CA:TRUE"]),
      issue,
      "DENIED_WRONG_USAGE",
      5,
      "wrong-usage",
    ],
    ["no request at all", () => writeFileSync(at("x.csr"), "no request"), issue, "DENIED_CORRUPT", 4, "corrupt"],
    [
      "a name that nobody has",
      () => undefined,
      ["certs", "issue", "svc-evil", "-o", "x.pem"],
      "DENIED_NAME_NOT_ALLOWED",
      5,
      "name-not-allowed",
    ],
    [
      "a name that no certificate may have",
      () => undefined,
      ["certs", "issue", "gw-UPPER!", "-o", "x.pem"],
      "CERT_NAME_INVALID",
      2,
      "CERT_NAME_INVALID",
    ],
    [
      "a corrupt key file",
      () => spoil("authorities/gateways.key", "no key"),
      ["certs", "issue", "gw-07", "-o", "x.pem"],
      "STATE_CORRUPT",
      2,
      "STATE_CORRUPT",
    ],
    [
      "a wrong passphrase",
      () => writeFileSync(at("words"), `${"0".repeat(64)}\n`),
      ["certs", "rotate", "--what", "intermediate:gateways"],
      "SIGNER_PASSPHRASE_WRONG",
      3,
      "SIGNER_PASSPHRASE_WRONG",
    ],
  ])("%s", async (_, prepare, argv, code, exit, reason) => {
    prepare();
    const outcome = await made.json(...argv);
    writeFileSync(at("words"), `${made.passphrase}\n`);
    expect(outcome).toMatchObject({ exit, error: { code } });
    expect(existsSync(at("x.pem"))).toBe(false);
    const object = argv.includes("issue") ? `certs issue ${argv[2]}` : "certs rotate";
    const time = "1970-01-01T00:00:00.000Z";
    expect(denied()).toEqual(
      [
        {
          ...{ kind: "CERT_DENIED", time, tenant: "demo", actor: "cli:Ada", sourceAddress: null },
          ...{ object, reason },
        },
      ].map((event) => ({ ...event, count: 1, correlationId: null })),
    );
  });
});

describe("there is no such event", () => {
  test.each<[string, readonly string[]]>([
    ["for a command line that is none", ["certs", "issue", "gw-07"]],
    ["for a question that nobody answers", ["certs", "revoke", "1a"]],
    ["for a backend that is away", ["gateway", "list"]],
    ["for a command that has nothing to do with certificates", ["explain", "NO_SUCH_CODE"]],
    ["where all is well", ["certs", "list"]],
  ])("%s", async (_, argv) => {
    await made.run(...argv, "--non-interactive");
    expect(denied()).toEqual([]);
  });

  test("where there is no deployment, and none is made for it", async () => {
    request("/CN=gw-08");
    const dir = at("nowhere");
    const { exit } = await runCli([...issue, "--dir", dir], { cwd: made.cwd });
    expect([exit === 0, existsSync(dir)]).toEqual([false, false]);
  });
});

test("tells where the event could not be written, and ends as it would have", async () => {
  request("/CN=gw-08");
  rmSync(join(made.dir, "logs"), { recursive: true, force: true });
  writeFileSync(join(made.dir, "logs"), "");
  const { exit, stderr } = await made.run(...issue);
  rmSync(join(made.dir, "logs"));
  expect(exit).toBe(5);
  expect(stderr).toContain("not in the deployment's log");
  expect(stderr).toContain("DENIED_FOREIGN_NAME");
});

test("has no secret in it, whatever the files hold", async () => {
  const { keyPem } = await issueGatewayLeaf(await openAuthority(join(made.dir, "authorities"), "gateways"), {
    name: "gw-07",
    now: new Date(0),
  });
  writeFileSync(at("x.csr"), keyPem);
  appendFileSync(at("x.csr"), `gw_${"a".repeat(54)}\n`);
  await made.run(...issue);
  expect(denied()).toHaveLength(1);
  expect(readFileSync(log, "utf8")).not.toMatch(/PRIVATE|gw_a|BEGIN/);
});
