import { createPublicKey, type KeyObject } from "node:crypto";
import { createMemorySigner } from "../../certs/signers/index.ts";
import type { KeySigner } from "../../certs/signers/signer.ts";
import { renderMermaid } from "../../model/diagram.ts";
import { PROFILES } from "../../profiles/index.ts";
import { profileLines } from "../../profiles/lines.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { EXAMPLE_MODEL } from "../diagram/example-model.ts";
import { renderSvg } from "../diagram/svg.ts";
import { plainTexts } from "../signed-file/plain-text.ts";
import { CHECKS, type CheckId, LAYERS } from "../verify/checks.ts";
import type { CheckResult, Verification } from "../verify/result.ts";
import { buildEvidence, type Evidence, type EvidenceParts } from "./build.ts";
import { administratorsOfFile, factsOfFile } from "./facts/deployment.ts";
import { keysOf } from "./facts/keys.ts";
import { assurancesOf, linesOf } from "./facts/profile.ts";
import type { DockerFacts } from "./schema/facts-schema.ts";
import type { Statement } from "./schema/statement.ts";
import { openEvidence } from "./verify/open.ts";

/** When the evidence of tests is signed. */
export const SIGNED_AT = new Date("2026-03-01T12:05:00.000Z");

/** Version of the toolkit that the evidence of tests is from. */
export const TOOLKIT = "0.1.0";

const digest = (letter: string): string => letter.repeat(64);

/** Names of images that every deployment has, the broker's apart. */
const IMAGES = [
  ...["backend", "collector", "custody", "custody-broker", "database", "gateway", "loki", "prometheus"],
  ...["schema", "shipper", "step-ca"],
];

/** A verification of all layers in which every check is proven, but for the egress that profile dev does not ask for. */
export function testVerification(changes: Partial<Record<CheckId, Partial<CheckResult>>> = {}): Verification {
  return {
    schema: "trustkern.verify-boundary/1",
    deployment: "demo",
    tenant: "demo",
    profile: "dev",
    engine: "docker",
    startedAt: "2026-03-01T12:00:00.000Z",
    endedAt: "2026-03-01T12:04:00.000Z",
    layers: LAYERS,
    results: (Object.keys(CHECKS) as CheckId[]).map((id) => {
      const outcome = id === "running.egress" ? "not-required" : "proven";
      return { id, outcome, seen: `looked at ${id}`, findings: [], ...changes[id] };
    }),
  };
}

/** Facts of a deployment of profile dev, with one of everything. */
export function testFacts(changes: Partial<DockerFacts> = {}): DockerFacts {
  const deployment = { ...defaultDeployment(), engine: "docker" as const };
  const images = {
    source: "packages" as const,
    images: {
      ...Object.fromEntries(
        IMAGES.map((name) => [name, { reference: `trustkern/${name}:0.1.0`, digest: `sha256:${digest("a")}` }]),
      ),
      broker: { reference: "eclipse-mosquitto:2", digest: `sha256:${digest("b")}` },
    },
  };
  const operator = {
    subject: "op-anna",
    issuer: "demo operators",
    serial: "0a1b",
    notAfter: "2026-03-01T13:00:00.000Z",
  };
  const facts: DockerFacts = {
    ...factsOfFile(deployment, images, undefined),
    versions: { toolkit: TOOLKIT, node: "v26.10.0", terraform: "1.12.6", dockerEngine: "28.1.0" },
    stack: digest("c"),
    diagram: digest("d"),
    profileLines: linesOf(profileLines({ name: "demo", tenant: "demo", profile: "dev", engine: "docker" })),
    profileAssurances: assurancesOf(PROFILES.dev),
    keys: {
      ...keysOf(deployment, undefined),
      sealed: false,
      verified: true,
      custodyClass: "software",
      generations: [
        {
          ...{ keyId: "0011223344556677", state: "active", origin: "generated", compromised: false },
          ...{ createdAt: "2026-01-01T00:00:00.000Z", activatedAt: "2026-01-02T00:00:00.000Z", retiredAt: null },
          destroyedAt: null,
        },
      ],
    },
    certificates: [
      {
        ...{ class: "services", subject: "O=demo, OU=services, CN=svc-broker", issuer: "demo services", serial: "1f" },
        ...{ sha256: digest("e"), notBefore: "2026-02-01T00:00:00.000Z", notAfter: "2026-04-01T00:00:00.000Z" },
        ...{ state: "ok", usedBy: ["secrets/broker/tls.crt"] },
      },
    ],
    administrators: {
      ...administratorsOfFile(deployment),
      operatorCertificates: [{ ...operator, issuedBy: "somebody" }],
      operatorCertificatesOfBackend: [operator],
    },
    unknown: [],
    ...changes,
  };
  return plainTexts(facts);
}

/** Evidence, its key, and what it opens to. */
export interface TestEvidence {
  readonly evidence: Evidence;
  readonly file: Buffer;
  readonly key: KeyObject;
  readonly signer: KeySigner;
  readonly statement: Statement;
  readonly svg: string;
}

/** Evidence of {@link testVerification} and {@link testFacts}, signed by a key in memory. */
export async function testEvidence(changes: Partial<EvidenceParts> = {}): Promise<TestEvidence> {
  const { signer } = await createMemorySigner("P-256", "memory");
  const svg = await renderSvg(EXAMPLE_MODEL, defaultDeployment());
  const evidence = await buildEvidence({
    verification: testVerification(),
    facts: testFacts(),
    svg,
    mermaid: renderMermaid(EXAMPLE_MODEL),
    names: { evidence: "evidence.json", page: "evidence.html", summary: "evidence.md" },
    signer,
    place: "host",
    issuedAt: SIGNED_AT,
    ...changes,
  });
  const used = changes.signer ?? signer;
  const key = createPublicKey({ key: used.publicKeySpki, format: "der", type: "spki" });
  const file = Buffer.from(evidence.envelope);
  return { evidence, file, key, signer: used, statement: openEvidence(file, key), svg };
}
