import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { InventoryRow } from "../../certs/inventory.ts";
import { newGround } from "../../custody/keyring/test-support.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { dockerErrors } from "../../stacks/host/docker-cli.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { buildStatusFile } from "./build.ts";
import { installedBundle } from "./bundle-version.ts";
import { concernsOf } from "./concerns.ts";
import { gatherStatus, type StatusSubject } from "./gather.ts";
import { testKeyId, testStatus, testStatusFacts, WRITTEN_AT } from "./test-status.ts";

const AT = WRITTEN_AT;
const CANARY = "canary-4f1d";
const LATER = new Date("2026-09-01T00:00:00.000Z");

const certificate = (changes: Partial<InventoryRow> = {}): InventoryRow => ({
  ...{ subject: `O=acme, OU=operators, CN=op-${CANARY}`, issuer: `TrustKern ${CANARY}`, serial: CANARY },
  ...{ class: "services", notAfter: LATER, usedBy: ["secrets/broker/tls.crt"], lifeLeft: 0.5, state: "ok" },
  ...changes,
});

/** Everything has a canary wherever there is room for one. */
function subject(changes: Partial<StatusSubject> = {}): StatusSubject {
  return {
    deployment: { ...defaultDeployment(), images: { ...defaultDeployment().images, mirror: CANARY } },
    components: [
      { name: "broker", zone: "ingress", image: `sha256:${"a".repeat(64)}` },
      { name: "collector", zone: "ingress", image: undefined },
    ],
    versions: { toolkit: "0.1.0", node: "v26.10.0", bundle: null, stack: "c".repeat(64) },
    status: async () => ({
      components: ["broker", "collector"].map((name) => ({
        ...{ name, zone: "ingress", condition: "healthy" as const, image: `${CANARY}.example/broker:1` },
        ...{ startedAt: "2026-01-01T00:00:00Z", restarts: 2, drift: name === "broker" ? [`PASSWORD=${CANARY}`] : [] },
      })),
    }),
    custody: async () => ({ kind: "file", custodyClass: "software", sealed: false, acceptSoftware: CANARY }),
    terraform: async () => "1.12.6",
    dockerEngine: async () => `28.1.0 ${CANARY}`,
    keys: async () => ({
      generations: [{ keyId: testKeyId(Buffer.alloc(32, 1)), state: "active", publicKey: CANARY, sensors: 41 }],
      sensors: [{ sensor: CANARY, messages: 9 }],
    }),
    certificates: async () => [
      certificate(),
      certificate({ class: "devices", usedBy: [`authorities/makers/${CANARY}.crt`] }),
      certificate({ class: "authority", usedBy: ["authorities/root.old.crt"] }),
      certificate({ usedBy: [`secrets/${CANARY} one/tls.crt`] }),
    ],
    disk: async () => ({ freeBytes: 1_999, totalBytes: 10_000 }),
    ...changes,
  };
}

const signed = async (changes: Partial<StatusSubject> = {}) => {
  const { signer } = await testStatus();
  return buildStatusFile(await gatherStatus(subject(changes)), { signer, place: "host", writtenAt: AT });
};

it("takes the generations of a keyring as they are", async () => {
  const ground = await newGround();
  const generations = (await ground.open()).list();
  rmSync(ground.folder, { recursive: true, force: true });
  const { status } = await signed({ keys: async () => ({ generations }) });
  expect(status.keys).toEqual([{ keyId: generations[0]?.keyId, state: "active" }]);
});

it("carries nothing out of what it looked at but names, digests, versions, states and shares", async () => {
  const { file, status } = await signed();
  const payload = Buffer.from(JSON.parse(file).payload, "base64").toString();
  for (const text of [file, payload]) expect(text).not.toContain(CANARY);
  for (const word of ["sensor", "message", "publicKey", "subject", "serial", "41"]) {
    expect(payload.replaceAll(/"[0-9a-f]{16,}"/g, ""), word).not.toContain(word);
  }
  expect(status.components[0]).toEqual({
    ...{ name: "broker", zone: "ingress", condition: "healthy", image: "a".repeat(64), restarts: 2, changed: true },
  });
  expect(status.certificates.map(({ name }) => name)).toEqual(["broker", "maker", "root", "other"]);
  expect(status.disks).toEqual([
    { what: "state", freeShare: 0.19 },
    { what: "engine", freeShare: 0.19 },
  ]);
  expect(status.versions.dockerEngine).toBeNull();
});

it("is written of a deployment that is half down, and says so", async () => {
  const away = async () => {
    throw dockerErrors.error("DOCKER_UNREACHABLE", `${CANARY} is away`);
  };
  const silent = async () => {
    throw hostErrors.error("SERVICE_FAILED", CANARY);
  };
  const down = { status: away, dockerEngine: away, terraform: silent, keys: silent, certificates: silent };
  const { file, status } = await signed({
    ...down,
    custody: async () => ({ kind: "file", custodyClass: null, sealed: null, acceptSoftware: null }),
    disk: async () => undefined,
  });
  expect(Buffer.from(JSON.parse(file).payload, "base64").toString()).not.toContain(CANARY);
  expect(status.components.map(({ condition }) => condition)).toEqual(["unknown", "unknown"]);
  expect(status.unknown).toEqual([
    { fact: "docker", code: "DOCKER_UNREACHABLE" },
    { fact: "terraform", code: "SERVICE_FAILED" },
    { fact: "keys", code: "SERVICE_FAILED" },
    { fact: "certificates", code: "SERVICE_FAILED" },
  ]);
  expect(concernsOf(status, AT)).toEqual([
    ...["broker is unknown", "collector is unknown", "custody does not answer"],
    ...["the disk of the state directory is not known", "the disk of the Docker Engine is not known"],
    ...["docker did not answer: DOCKER_UNREACHABLE", "terraform did not answer: SERVICE_FAILED"],
    ...["keys did not answer: SERVICE_FAILED", "certificates did not answer: SERVICE_FAILED"],
  ]);
});

it("never takes what it knew of components, where Docker went away in between", async () => {
  const { status } = await signed({
    dockerEngine: async () => {
      throw dockerErrors.error("DOCKER_UNREACHABLE", "away");
    },
  });
  expect(status.components.map(({ condition }) => condition)).toEqual(["unknown", "unknown"]);
});

it("passes a bug on", async () => {
  await expect(signed({ status: () => Promise.reject(new TypeError("bug")) })).rejects.toThrow(TypeError);
});

it("calls missing what runs in no container", async () => {
  const { status } = await signed({ status: async () => ({ components: [] }) });
  expect(status.components.map(({ condition }) => condition)).toEqual(["missing", "missing"]);
});

it("names every concern, and none where all is well", async () => {
  const { status } = await testStatus();
  expect(concernsOf(status, AT)).toEqual([]);
  expect(concernsOf(status, LATER)).toEqual([
    "a certificate of broker (services) has ended since, unless it was renewed",
  ]);
  const facts = testStatusFacts();
  const [broker, ...rest] = facts.components;
  const bad = await testStatus({
    components: [{ ...broker!, condition: "unhealthy", changed: true }, ...rest],
    custody: { ...facts.custody, sealed: true },
    keys: facts.keys.map((key) => ({ ...key, state: "retired" })),
    certificates: facts.certificates.map((each) => ({ ...each, state: "overdue-3" })),
    disks: [{ what: "engine", freeShare: 0.09 }],
  });
  expect(concernsOf(bad.status, AT)).toEqual([
    ...["broker is unhealthy", "broker differs from what was deployed"],
    ...["custody is sealed: nothing is opened", "no decryption key is active"],
    ...["a certificate of broker (services) is overdue-3", "a certificate of root (authority) is overdue-3"],
    "the disk of the Docker Engine has 9 % free",
  ]);
});

it("has the version of the bundle that is installed, and none where a link leads elsewhere", () => {
  const site = mkdtempSync(join(tmpdir(), "tk-site-"));
  const dir = join(site, "state");
  mkdirSync(dir);
  try {
    expect(installedBundle(dir)).toBeNull();
    for (const [target, version] of [
      ["versions/12", 12],
      ["versions/0", null],
      ["/versions/1", null],
    ] as const) {
      symlinkSync(target, join(site, "current"));
      expect(installedBundle(dir)).toBe(version);
      rmSync(join(site, "current"));
    }
  } finally {
    rmSync(site, { recursive: true });
  }
});
