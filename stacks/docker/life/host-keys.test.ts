import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../../../model/deployment.ts";
import { findingsOf } from "../../../model/findings.ts";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { dockerLifeErrors } from "./errors.ts";
import { asKeyFailure, assertHostKeys, decryptionKeys, hostKeyFindings, issuingKeys } from "./host-keys.ts";
import { type HostPath, lookAtHost, mayUse } from "./host-path.ts";

const USER = { uid: 10_001, gid: 10_001 };
const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const withKeys = (issuing: Deployment["pki"]["issuing"]): Deployment => ({ ...dev, pki: { ...dev.pki, issuing } });
const TOKEN = withKeys({ kind: "pkcs11", module: "/m.so", token: "t", pinFile: "/etc/pin", keyPrefix: "demo" });
const TPM = withKeys({ kind: "tpm2", device: "/dev/tpmrm0", folder: "/k" });

const root = (kind: HostPath["kind"], more: Partial<HostPath> = {}): HostPath => ({
  ...{ kind, uid: 0, gid: 0, mode: 0o755, size: 1 },
  ...more,
});
const FOLDER = root("folder", { entries: ["sock"] });
const SOCKET = root("socket", { uid: 10_001, mode: 0o600, answers: true });
const WELL: Readonly<Record<string, HostPath>> = {
  "/m.so": root("file"),
  "/etc/pin": root("file", { mode: 0o600 }),
  "/run/trustkern-demo": FOLDER,
  "/run/trustkern-demo/sock": SOCKET,
  "/dev/tpmrm0": root("device", { gid: 10_001, mode: 0o660 }),
};

const wrong = async (deployment: Deployment, changed: Readonly<Record<string, HostPath | undefined>> = {}) => {
  const host = { ...WELL, ...changed };
  const findings = await hostKeyFindings(issuingKeys(deployment), USER, async (path) => host[path]);
  return findings.map(({ path, message }) => `${path}: ${message}`);
};

describe("what containers would miss", () => {
  it.each([
    ["keys in files", dev],
    ["a token", TOKEN],
    ["a TPM", TPM],
  ])("is nothing with %s and all in place", async (_, deployment) => {
    expect(await wrong(deployment)).toEqual([]);
  });

  const SOCK = "/run/trustkern-demo/sock";
  const DIR = "/run/trustkern-demo";
  it.each<readonly [string, Deployment, Readonly<Record<string, HostPath | undefined>>, string]>([
    ["the library", TOKEN, { "/m.so": undefined }, 'pki.issuing.module: the token\'s library, "/m.so", is not there'],
    ["the PIN", TOKEN, { "/etc/pin": undefined }, "pki.issuing.pinFile: the file with the token's PIN"],
    ["a PIN, in its file", TOKEN, { "/etc/pin": root("file", { size: 0 }) }, "is empty"],
    ["a PIN that others cannot read", TOKEN, { "/etc/pin": root("file", { mode: 0o640 }) }, 'in "/etc/pin": mode 0640'],
    ["a file where a folder is", TOKEN, { "/etc/pin": root("folder") }, "is a folder"],
    ["the socket", TOKEN, { [SOCK]: undefined }, `docker.tokenSocket: there is no socket "${SOCK}"`],
    ["a listener", TOKEN, { [SOCK]: { ...SOCKET, answers: false } }, "nobody listens"],
    ["a socket, where a file is", TOKEN, { [SOCK]: root("file") }, "is a file, and no socket"],
    ["the right to connect", TOKEN, { [SOCK]: { ...SOCKET, uid: 0 } }, "is not for user 10001"],
    ["the right to enter", TOKEN, { [DIR]: { ...FOLDER, mode: 0o700 } }, `may not enter "${DIR}"`],
    ["a folder of its own", TOKEN, { [DIR]: { ...FOLDER, entries: ["docker.sock", "sock"] } }, "holds docker.sock too"],
    [
      "a folder that is what it is called",
      TOKEN,
      { [DIR]: root("folder", { entries: ["sock"], real: "/srv/trustkern/run/custody.manage" }) },
      `docker.tokenSocket: "${SOCK}" leads over a symbolic link to "/srv/trustkern/run/custody.manage"`,
    ],
    [
      "a TPM that is what it is called",
      TPM,
      { "/dev/tpmrm0": root("device", { gid: 10_001, mode: 0o660, real: "/dev/sda" }) },
      'pki.issuing.device: "/dev/tpmrm0" leads over a symbolic link to "/dev/sda"',
    ],
    ["the TPM", TPM, { "/dev/tpmrm0": undefined }, 'pki.issuing.device: there is no TPM "/dev/tpmrm0"'],
    ["the right to use the TPM", TPM, { "/dev/tpmrm0": root("device", { mode: 0o660 }) }, "is not for user 10001"],
    ["a TPM, where a file is", TPM, { "/dev/tpmrm0": root("file") }, "is a file, and no device"],
  ])("is %s", async (_, deployment, changed, said) => {
    const findings = await wrong(deployment, changed);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toContain(said);
  });

  it("is nothing with a simulator of a TPM, which has a second socket to control it", async () => {
    const simulator = withKeys({ kind: "tpm2", device: "/run/swtpm/sock", folder: "/k" });
    const own = { ...FOLDER, entries: ["sock", "sock.ctrl"] };
    expect(await wrong(simulator, { "/run/swtpm": own, "/run/swtpm/sock": SOCKET })).toEqual([]);
    const more = { ...own, entries: ["sock", "state"] };
    expect(await wrong(simulator, { "/run/swtpm": more, "/run/swtpm/sock": SOCKET })).toHaveLength(1);
  });

  it("is said of custody's own token and socket, and of nobody else's", async () => {
    const place = { kind: "pkcs11", module: "/c.so", token: "c", pinFile: "/etc/c", keyPrefix: "demo" } as const;
    const own: Deployment = { ...dev, custody: { ...dev.custody, ...place } };
    const none = await hostKeyFindings(decryptionKeys(own), USER, async () => undefined);
    expect(none.map(({ path }) => path)).toEqual(["custody.module", "custody.pinFile", "docker.custodySocket"]);
    expect(await wrong(own)).toEqual([]);
    const sealed = {
      ...dev,
      custody: { ...dev.custody, kind: "tpm2", device: "/dev/tpmrm0", pcrs: "sha256:7" },
    } as const;
    expect(await hostKeyFindings(decryptionKeys(sealed), USER, async () => undefined)).toMatchObject([
      { path: "custody.device", message: 'there is no TPM "/dev/tpmrm0"' },
    ]);
  });

  it("is all said at once", async () => {
    const none = await hostKeyFindings(issuingKeys(TOKEN), USER, async () => undefined);
    expect(none.map(({ path }) => path)).toEqual(["pki.issuing.module", "pki.issuing.pinFile", "docker.tokenSocket"]);
  });
});

describe("an authority that stays unhealthy", () => {
  const said = (line: string) => dockerLifeErrors.error("COMPONENT_UNHEALTHY", `gateways-ca is unhealthy\n    ${line}`);
  const codeOf = (thrown: unknown) => (thrown as { readonly code: string }).code;

  it.each([
    ["another token", TOKEN, "error initializing PKCS#11: could not find PKCS#11 token"],
    ["another PIN", TOKEN, "failed to log into long term session: pkcs11: 0xA0: CKR_PIN_INCORRECT"],
    ["another TPM", TPM, "error parsing key: failed loading TPM key: integrity check failed"],
  ])("for %s is one that cannot reach its key", (_, deployment, line) => {
    const failure = asKeyFailure(said(line), deployment);
    expect(codeOf(failure)).toBe("HOST_KEYS_UNREACHABLE");
    expect((failure as Error).message).toContain(line);
  });

  it("is custody's own, where that is who says so", () => {
    const sealed = {
      ...TOKEN,
      custody: { ...dev.custody, kind: "tpm2", device: "/dev/tpmrm1", pcrs: "sha256:7" },
    } as const;
    const wrote = "custody is unhealthy after 30 s\n    SIGNER_TOKEN_MISSING";
    const failure = asKeyFailure(dockerLifeErrors.error("COMPONENT_UNHEALTHY", wrote), sealed);
    expect(failure).toMatchObject({ code: "HOST_KEYS_UNREACHABLE", fix: expect.stringContaining('"/dev/tpmrm1"') });
    const inFiles = dockerLifeErrors.error("COMPONENT_UNHEALTHY", wrote);
    expect(asKeyFailure(inFiles, TOKEN)).toBe(inFiles);
  });

  it("for another reason is just that, and so is any other failure", () => {
    const other = said("bind: address already in use");
    expect(asKeyFailure(other, TOKEN)).toBe(other);
    const files = said("error initializing PKCS#11");
    expect(asKeyFailure(files, dev)).toBe(files);
    const plain = new Error("PKCS#11");
    expect(asKeyFailure(plain, TOKEN)).toBe(plain);
  });
});

describe("rights", () => {
  it("are those of the first class that a user is of, and of no later one", () => {
    const owned = root("socket", { uid: 10_001, gid: 10_001, mode: 0o066 });
    expect(mayUse(owned, USER, 2)).toBe(false);
    expect(mayUse({ ...owned, uid: 0 }, USER, 6)).toBe(true);
    expect(mayUse({ ...owned, uid: 0, gid: 0, mode: 0o660 }, USER, 2)).toBe(false);
    expect(mayUse({ ...owned, uid: 0, gid: 0, mode: 0o604 }, USER, 6)).toBe(false);
  });
});

describe("this host", () => {
  const dir = mkdtempSync(join(tmpdir(), "tk-keys-"));
  const authorities = join(dir, "authorities");
  const sock = join(dir, "own", "sock");
  let server: Server;
  beforeAll(async () => {
    mkdirSync(join(dir, "own"));
    mkdirSync(authorities);
    writeFileSync(join(dir, "m.so"), "x");
    writeFileSync(join(dir, "pin"), "canary-4711", { mode: 0o600 });
    server = createServer().listen(sock);
    await new Promise((resolve) => server.once("listening", resolve));
    for (const name of ["services", "gateways", "operators"]) place(name, "t");
  });
  afterAll(() => {
    server.close();
    rmSync(dir, { recursive: true });
  });
  const place = (name: string, token: string): void => {
    const key = { kind: "pkcs11", module: join(dir, "m.so"), token, pinFile: join(dir, "pin"), label: `demo-${name}` };
    writeFileSync(join(authorities, `${name}.key.json`), JSON.stringify(key));
  };
  const here: Deployment = {
    ...withKeys({
      kind: "pkcs11",
      module: join(dir, "m.so"),
      token: "t",
      pinFile: join(dir, "pin"),
      keyPrefix: "demo",
    }),
    docker: { ...dev.docker, tokenSocket: sock },
  };
  const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const thrown = (deployment: Deployment) =>
    assertHostKeys(deployment, authorities, me).then(
      () => undefined,
      (error: unknown) => error,
    );

  it("is looked at as it is", async () => {
    expect(await lookAtHost(sock)).toMatchObject({ kind: "socket", answers: true });
    expect(await lookAtHost(join(dir, "own"))).toMatchObject({ kind: "folder", entries: ["sock"] });
    expect(await lookAtHost("/dev/null")).toMatchObject({ kind: "device", mode: 0o666 });
    expect(await lookAtHost(join(dir, "none"))).toBeUndefined();
    symlinkSync(join(dir, "own"), join(dir, "link"));
    expect(await lookAtHost(join(dir, "link", "sock"))).toMatchObject({ kind: "socket", real: sock });
    expect(await lookAtHost(sock)).not.toHaveProperty("real");
  });

  it("deploys with all in place, and says nothing of the PIN when it is not", async () => {
    expect(await thrown(here)).toBeUndefined();
    const error = await thrown({ ...here, docker: { ...here.docker, tokenSocket: join(dir, "gone", "sock") } });
    expect(error).toMatchObject({ code: "HOST_KEYS_UNREACHABLE", exit: 4 });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("canary-4711");
  });

  it("deploys nothing while a key is elsewhere than trustkern.yaml says", async () => {
    place("gateways", "other");
    const moved = findingsOf(await thrown(here)).map(({ path, message }) => `${path}: ${message}`);
    expect(moved).toEqual([
      'pki.issuing: the key of gateways is on the token "other", and trustkern.yaml says: on the token "t"',
    ]);
    place("gateways", "t");
    expect(findingsOf(await thrown(withKeys({ kind: "file" })))).toHaveLength(3);
    rmSync(join(authorities, "operators.key.json"));
    expect(findingsOf(await thrown(here))[0]?.message).toContain("operators is in a file of this host");
    place("operators", "t");
  });
});
