import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyTranscript } from "../../certs/ceremony/transcript.ts";
import { readCrl, verifyCrl } from "../../certs/crl.ts";
import { verifyChain } from "../../certs/verify-chain.ts";
import type { Deployment, Pkcs11Token, Tpm2Device } from "../../model/deployment.ts";
import { authorityFiles } from "../../stacks/host/authority-files.ts";
import { openAuthority } from "../../stacks/host/authority-key.ts";
import { type HostCeremonyRequest, makeByCeremony } from "../../stacks/host/ceremony.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { hostFiles } from "../../stacks/host/store-files.ts";
import { fillStore } from "./pki/store.ts";
import { SOFTHSM, SoftToken } from "./signers/soft-token.ts";
import { SoftTpm } from "./signers/soft-tpm.ts";

const soft = new SoftToken();
const tpm = new SoftTpm();
const folder = mkdtempSync(join(tmpdir(), "tk-ceremony-"));
const rootFile = { file: join(folder, "root.age"), passphraseFile: join(folder, "words") };
const token: Pkcs11Token = {
  kind: "pkcs11",
  module: SOFTHSM,
  token: soft.token,
  pinFile: soft.pinFile,
  keyPrefix: "plant",
};
const device = (): Tpm2Device => ({ kind: "tpm2", device: tpm.device, folder: join(folder, "tpm") });

beforeAll(async () => {
  mkdirSync(join(folder, "tpm"));
  writeFileSync(rootFile.passphraseFile, randomBytes(32).toString("hex"));
  await tpm.start();
});
afterAll(async () => {
  soft.remove();
  await tpm.remove();
  rmSync(folder, { recursive: true });
});

const layout = (name: string) => layoutOf(join(folder, name), tmpdir());
const ceremony = (name: string, pki: Deployment["pki"], rest: Partial<HostCeremonyRequest> = {}) =>
  makeByCeremony({
    layout: layout(name),
    deployment: { tenant: "acme", pki },
    namespace: undefined,
    clock: () => new Date(),
    rootFile,
    makers: ["acme-instruments"],
    conductor: "Ada",
    witnesses: ["Grace"],
    versions: {},
    acceptP256Root: false,
    onEvent: () => undefined,
    ...rest,
  });
/** The authorities of a deployment, as a rotation changes them. */
const storeOf = (name: string) => ({
  store: authorityFiles({
    dir: layout(name).authoritiesDir,
    tenant: "acme",
    namespace: undefined,
    clock: () => new Date(),
    passphrase: () => "",
    files: hostFiles,
    onAuthority: async () => undefined,
  }),
});
const cases: readonly (readonly [string, () => Deployment["pki"]])[] = [
  ["root and issuing keys on a PKCS #11 token", () => ({ root: token, issuing: token })],
  ["the root in an age file, issuing keys in a TPM", () => ({ root: { kind: "age" }, issuing: device() })],
];

// First of all: who has logged in to a token is not asked for the PIN again.
describe("a ceremony with a wrong PIN", () => {
  test("is refused with a wrong PIN, which is in no error, and leaves no root key behind", async () => {
    const pinFile = soft.pinIn("wrong", "99999999");
    const issuing = { ...token, pinFile, keyPrefix: "other" };
    const own = { file: join(folder, "other.age"), passphraseFile: rootFile.passphraseFile };
    const thrown: unknown = await ceremony("pin", { root: { kind: "age" }, issuing }, { rootFile: own }).catch(
      (error: unknown) => error,
    );
    expect(thrown).toMatchObject({ code: "SIGNER_PIN_WRONG" });
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain("99999999");
    expect([existsSync(own.file), existsSync(layout("pin").authoritiesDir)]).toEqual([false, false]);
  });
});

describe.each(cases)("a deployment with %s", (name, pki) => {
  const dir = (): string => layout(name).authoritiesDir;
  const read = (file: string): string => readFileSync(join(dir(), file), "utf8");

  beforeAll(async () => {
    await ceremony(name, pki());
    await fillStore(join(folder, name), "dev", "docker", pki());
  }, 120_000);

  test("has no private key of an authority in a file", () => {
    const files = readdirSync(dir(), { recursive: true }).map(String);
    // The key that signs the ledger's heads, and the broker's next one.
    expect(files.filter((file) => /\.(?:key|age)$/.test(file)).sort()).toEqual(["audit.key", "broker.next.key"]);
    for (const file of files.filter((each) => each.endsWith(".json"))) {
      expect(read(file)).not.toMatch(new RegExp(`PRIVATE|${soft.pin}`));
    }
  });

  test("has a transcript that the root's key signed, about the authorities in use", async () => {
    const certificates = Object.fromEntries(["services", "gateways", "operators"].map((of) => [of, read(`${of}.crt`)]));
    const rootPem = read("root.crt");
    expect(await verifyTranscript({ jws: read("transcript.jws").trim(), rootPem, certificates })).toEqual([]);
  });

  test("has leaves and revocation lists that the device signed", () => {
    const chainPem = readFileSync(join(folder, name, "secrets/backend/tls.crt"), "utf8");
    const crls = [read("crls/root.pem"), read("crls/services.pem")];
    const chain = { chainPem, rootPem: read("root.crt"), at: new Date(), purpose: "client", crls } as const;
    expect(verifyChain(chain)).toEqual([]);
    expect(readCrl(read("crls/services.pem")).revoked).toHaveLength(1);
    for (const maker of ["makers/acme-instruments"]) {
      const issuerPem = read(`${maker}.crt`);
      expect(verifyCrl({ pem: read(`crls/${maker}.pem`), issuerPem, now: new Date() })).toEqual([]);
    }
  });

  test("gives step-ca a certificate, and no key", () => {
    const secret = (file: string): string => join(folder, name, "secrets/gateways-ca", file);
    expect(readFileSync(secret("intermediate.crt"), "utf8")).toBe(read("gateways.crt"));
    expect(existsSync(secret("intermediate.key"))).toBe(false);
  });

  test("tells step-ca the name of a key that a rotation made, and leaves how it is reached as it was", async () => {
    const config = () =>
      JSON.parse(readFileSync(join(folder, name, "secrets/gateways-ca/ca.json"), "utf8")) as Record<string, unknown>;
    const before = config();
    const { store } = storeOf(name);
    await store.stageIntermediate("gateways", { pki: pki(), conductor: "Ada", witnesses: [], versions: {} });
    store.promoteIntermediate("gateways", store.fingerprint("gateways.next"));
    await fillStore(join(folder, name), "dev", "docker", pki());
    const after = config();
    expect(after.kms).toEqual(before.kms);
    if (pki().issuing.kind === "pkcs11") expect(after.key).toBe("pkcs11:object=plant-gateways-2");
    else expect(after.key).toBe(before.key);
    expect(JSON.parse(read("gateways.key.json"))).toMatchObject(
      pki().issuing.kind === "pkcs11"
        ? { label: "plant-gateways-2" }
        : { file: join(folder, "tpm/gateways-2.tss2.pem") },
    );
    expect((await openAuthority(dir(), "gateways")).kind).toBe("gateways");
    const certificates = Object.fromEntries(["services", "gateways", "operators"].map((of) => [of, read(`${of}.crt`)]));
    const jws = read("transcript.jws").trim();
    expect(await verifyTranscript({ jws, rootPem: read("root.crt"), certificates })).toEqual([]);
  });

  test("does not take another authority's key for its own", async () => {
    const place = read("services.key.json");
    writeFileSync(join(dir(), "services.key.json"), read("gateways.key.json"));
    await expect(openAuthority(dir(), "services")).rejects.toMatchObject({ code: "CERT_AUTHORITY_INVALID" });
    writeFileSync(join(dir(), "services.key.json"), "{}");
    await expect(openAuthority(dir(), "services")).rejects.toMatchObject({ code: "STATE_CORRUPT" });
    writeFileSync(join(dir(), "services.key.json"), place);
    expect((await openAuthority(dir(), "services")).kind).toBe("services");
  });
});

describe("a ceremony on devices", () => {
  test("is not replaced by keys in files when nobody held it", async () => {
    await expect(
      fillStore(join(folder, "none"), "dev", "docker", { root: { kind: "age" }, issuing: token }),
    ).rejects.toMatchObject({ code: "CEREMONY_NEEDED" });
    expect(existsSync(layout("none").authoritiesDir)).toBe(false);
  });

  test("does not use keys that are there", async () => {
    await expect(ceremony("again", { root: token, issuing: token })).rejects.toMatchObject({
      code: "SIGNER_KEY_EXISTS",
    });
    expect(existsSync(layout("again").authoritiesDir)).toBe(false);
  });

  test("takes a root on P-256 only when that is accepted", async () => {
    const root = { ...token, keyPrefix: "small" };
    await ceremony("small", { root, issuing: { ...token, keyPrefix: "small-issuing" } }, { acceptP256Root: true });
    const { publicKey } = new X509Certificate(readFileSync(join(layout("small").authoritiesDir, "root.crt")));
    expect(publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  });
});
