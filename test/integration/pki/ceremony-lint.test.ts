import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { issueDeviceLeaf } from "../../../certs/classes/leaf-device.ts";
import { issueGatewayLeaf } from "../../../certs/classes/leaf-gateway.ts";
import { issueOperatorLeaf } from "../../../certs/classes/leaf-operator.ts";
import { readCrl } from "../../../certs/crl.ts";
import type { KeyRef } from "../../../certs/signers/index.ts";
import { type Deployment, PROFILE_NAMES, type ProfileName } from "../../../model/deployment.ts";
import { openAuthority } from "../../../stacks/host/authority-key.ts";
import { makeByCeremony } from "../../../stacks/host/ceremony.ts";
import type { HostPki } from "../../../stacks/host/host-pki.ts";
import type { RotationContext } from "../../../stacks/host/rotation/context.ts";
import type { FakeToken as Token } from "../../../stacks/host/rotation/fake-token.ts";
import type { Fleet } from "../../../stacks/host/rotation/fleet.ts";
import { runRotation } from "../../../stacks/host/rotation/machine.ts";
import { makeMedium, modelCeremony } from "../../../stacks/host/rotation/model-ceremony.ts";
import { rotationOf } from "../../../stacks/host/rotation/rotations.ts";
import type { RotationTarget } from "../../../stacks/host/rotation/target.ts";
import { openStoredPki, prepareSecrets } from "../../../stacks/host/secrets.ts";
import { hostFiles } from "../../../stacks/host/store-files.ts";
import { scratch } from "../../support/deployment.ts";
import { documentsBelow, documentsOf } from "./documents.ts";
import { findings } from "./findings.ts";
import { storeIn } from "./store.ts";
import { refused } from "./strict.ts";

const held = vi.hoisted(() => ({ token: undefined as Token | undefined }));
vi.mock("../../../certs/signers/index.ts", async (original) => {
  const real = (await original()) as typeof import("../../../certs/signers/index.ts");
  const of = (ref: KeyRef): Token | undefined => (ref.kind === "pkcs11" ? held.token : undefined);
  return {
    ...real,
    createSigner: (ref: KeyRef, curve: "P-256" | "P-384") =>
      of(ref)?.create(ref, curve) ?? real.createSigner(ref, curve),
    loadSigner: (ref: KeyRef) => of(ref)?.load(ref) ?? real.loadSigner(ref),
  };
});
const { FakeToken } = await import("../../../stacks/host/rotation/fake-token.ts");

const MAKER = "northwind";
const DAY_MS = 86_400_000;
const PROBE = /CN=svc-probe-revoked: [\s\S]*: certificate revoked/;
const { dir, remove } = scratch("ceremony-lint");
const media: string[] = [];
afterAll(() => {
  for (const folder of [...media.splice(0)]) rmSync(folder, { recursive: true });
  remove();
});
const medium = () => {
  const made = makeMedium();
  media.push(dirname(made.file));
  return made;
};

/** A deployment whose authorities a ceremony made, with all that a first run makes below them. */
async function deploymentOf(name: string, profile: ProfileName, root: "age" | "token") {
  const token = new FakeToken();
  held.token = token;
  const device = { ...token.device, pinFile: join(dir, "pin") };
  writeFileSync(device.pinFile, "0000\n", { mode: 0o600 });
  const pki: Deployment["pki"] = { root: root === "age" ? { kind: "age" } : device, issuing: device };
  const folder = join(dir, name);
  const store = storeIn(folder, profile, "docker", pki);
  await makeByCeremony({
    ...{ layout: store.layout, deployment: { tenant: "acme", pki }, namespace: undefined, clock: () => new Date() },
    ...{ rootFile: root === "age" ? medium() : undefined, makers: [MAKER], acceptP256Root: root === "token" },
    ...{ conductor: "Ada", witnesses: ["Grace"], versions: {}, onEvent: () => undefined },
  });
  await prepareSecrets(store);
  return { folder, pki, store, open: () => openStoredPki(store) };
}

type Made = Awaited<ReturnType<typeof deploymentOf>>;

/** A leaf of each class that no file of a deployment has. */
async function leavesBelow(authoritiesDir: string): Promise<readonly string[]> {
  const now = new Date();
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = { publicKeySpki: publicKey.export({ format: "der", type: "spki" }) };
  const device = { hardwareId: "0123456789abcdef01", maker: MAKER, model: "TK 100", key, now };
  const leaves = await Promise.all([
    issueGatewayLeaf(await openAuthority(authoritiesDir, "gateways"), { name: "gw-77", now }),
    issueOperatorLeaf(await openAuthority(authoritiesDir, "operators"), { name: "op-ada", now }),
    issueDeviceLeaf(await openAuthority(authoritiesDir, `makers/${MAKER}`), device),
  ]);
  return leaves.map(({ certPem }) => certPem);
}

/** What pkilint says of everything below a folder, and of some leaves; and openssl, by the lists that are given out. */
async function said({ folder, open }: Made, leaves: readonly string[]) {
  const { bundle, own } = (await open()).crls;
  // A successor's first list stays on the disk for its number: of one minute and one key, openssl would take either.
  const { crls } = documentsOf([bundle(), ...own()].map((text) => ({ name: "given out", text })));
  const [files, others] = [documentsBelow(folder), documentsOf(leaves.map((text) => ({ name: "leaf", text })))];
  const known = new Set(files.certificates.map(({ pem }) => pem));
  const issuers = files.certificates.filter(({ pem }) => new X509Certificate(pem).ca);
  const more = others.certificates
    .filter(({ pem }) => !known.has(pem))
    .map((each) => {
      const issuer = issuers.find(({ pem }) =>
        new X509Certificate(each.pem).verify(new X509Certificate(pem).publicKey),
      );
      return { ...each, ...(issuer && { issuer: issuer.pem }) };
    });
  const documents = { certificates: [...files.certificates, ...more], crls: files.crls };
  return { documents, lint: await findings(documents), openssl: await refused({ ...documents, crls }) };
}

/** A fleet that follows at once. */
const FOLLOWS: Fleet = {
  members: async () => [],
  apply: async () => undefined,
  announce: async () => undefined,
  publishCrls: async () => undefined,
  pendingCrls: async () => [],
  newToken: () => Promise.reject(new Error("no token is rotated")),
  tokens: async () => [],
  revokeToken: async () => undefined,
};

async function rotate(of: Made, target: RotationTarget): Promise<void> {
  const pki: HostPki = await of.open();
  const context: RotationContext = {
    ...{ files: hostFiles, secretFile: of.store.secretFile, gateways: ["gw-01"], fleet: FOLLOWS, store: pki.store },
    ceremony: { ...modelCeremony(of.pki, of.pki.root.kind === "age" ? medium() : undefined), acceptP256Root: true },
    converge: async (expired) => void (await pki.converge(expired)),
    ...{ pins: pki.brokerKeys.read, dropPreviousPin: () => pki.brokerKeys.dropPrevious() },
    ...{ crls: pki.crls.own, leafFiles: pki.leafFiles, revoke: pki.revoke },
  };
  await runRotation(rotationOf(target, context), {
    journalFile: join(of.folder, "rotation.json"),
    ...{ files: hostFiles, apply: async () => undefined, clock: () => new Date(), onPhase: () => undefined },
    signal: new AbortController().signal,
  });
}

const rootList = (authoritiesDir: string) => readCrl(readFileSync(join(authoritiesDir, "crls/root.pem"), "utf8"));

describe("pkilint and openssl's strict rules take what a ceremony makes", () => {
  test.each(PROFILE_NAMES.filter((profile) => profile !== "dev"))("for profile %s", async (profile) => {
    const made = await deploymentOf(profile, profile, "age");
    const { authoritiesDir } = made.store.layout;
    const { documents, lint, openssl } = await said(made, await leavesBelow(authoritiesDir));
    const subjects = documents.certificates.map(({ name }) => name).join("\n");
    for (const expected of ["root", "services", "gateways", "operators", `maker ${MAKER}`])
      expect(subjects).toContain(`TrustKern ${expected}`);
    for (const expected of ["svc-broker", "gw-01", "gw-77", "op-ada", "TK 100, serialNumber=0123456789abcdef01"])
      expect(subjects).toContain(`CN=${expected}`);
    const { thisUpdate, nextUpdate } = rootList(authoritiesDir);
    expect((nextUpdate.getTime() - thisUpdate.getTime()) / DAY_MS).toBeGreaterThanOrEqual(365);
    expect(lint).toEqual([]);
    expect(openssl).toEqual([expect.stringMatching(PROBE)]);
  });

  test.each(["age", "token"] as const)(
    "after a revocation and after each rotation, with a root in %s (on P-256 in a token)",
    async (place) => {
      const made = await deploymentOf(`rotated-${place}`, "eu-hosted", place);
      const { authoritiesDir } = made.store.layout;
      const read = (name: string) => readFileSync(join(authoritiesDir, `${name}.crt`), "utf8");
      const curve = new X509Certificate(read("root")).publicKey.asymmetricKeyDetails?.namedCurve;
      expect(curve).toBe(place === "age" ? "secp384r1" : "prime256v1");
      const before = await leavesBelow(authoritiesDir);
      const pki = await made.open();
      await pki.ledger.issued(before[0] ?? "", "cli:test");
      await pki.revoke(before[0] ?? "", "keyCompromise");
      await pki.converge();
      const revoked = [PROBE, /CN=gw-77: [\s\S]*certificate revoked/].map((each) => expect.stringMatching(each));
      const after = await said(made, before);
      expect(after.lint).toEqual([]);
      expect(after.openssl.toSorted()).toEqual(expect.arrayContaining(revoked));
      expect(after.openssl).toHaveLength(revoked.length);
      const old = ["root", "services", "gateways"].map(read);
      await rotate(made, { kind: "intermediate", leafClass: "services" });
      await rotate(made, { kind: "intermediate", leafClass: "gateways" });
      await rotate(made, { kind: "root" });
      expect(["root", "services", "gateways"].map(read).filter((pem) => old.includes(pem))).toEqual([]);
      const last = await said(made, await leavesBelow(authoritiesDir));
      expect(last.lint).toEqual([]);
      expect(last.openssl).toEqual([expect.stringMatching(PROBE)]);
      expect(rootList(authoritiesDir).number).toBeGreaterThan(0n);
    },
  );
});
