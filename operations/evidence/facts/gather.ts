import type { Model } from "../../../model/boundary.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { renderMermaid } from "../../../model/diagram.ts";
import { PROFILES } from "../../../profiles/index.ts";
import type { LineResult } from "../../../profiles/lines.ts";
import type { ImagePins } from "../../../stacks/docker/images.ts";
import { certificateFiles } from "../../../stacks/host/certificate-files.ts";
import type { CertsSite } from "../../../stacks/host/certs-site.ts";
import type { KeysOverview } from "../../../stacks/host/generations/overview.ts";
import { renderSvg } from "../../diagram/svg.ts";
import { plainTexts } from "../../signed-file/plain-text.ts";
import { digestOf } from "../digest.ts";
import type { CommonFacts, Facts } from "../schema/facts-schema.ts";
import { asked } from "./asked.ts";
import { certificatesOf, operatorsOf } from "./certificates.ts";
import { administratorsOfFile, factsOfFile } from "./deployment.ts";
import { keysOf } from "./keys.ts";
import { assurancesOf, linesOf } from "./profile.ts";

/** A certificate of class operators, as the backend lists it. */
export type BackendOperator = NonNullable<CommonFacts["administrators"]["operatorCertificatesOfBackend"]>[number];

/** Adds what one engine alone can say: of docker {@link dockerFacts}, of a cluster {@link clusterFacts}. */
export type EngineFacts = (common: CommonFacts) => Promise<Facts>;

/** What facts are gathered from. What asks something that may be away is a function, and may throw. */
export interface FactsSubject {
  readonly deployment: Deployment;
  /** Every line of its profile, held against its file. */
  readonly lines: readonly LineResult[];
  readonly model: Model;
  readonly images: ImagePins;
  /** Public key of `images.signedBy`, PEM. @default none is named */
  readonly signerPem?: string | undefined;
  readonly site: Pick<CertsSite, "layout" | "model" | "pki">;
  readonly at: Date;
  readonly versions: CommonFacts["versions"];
  readonly engine: EngineFacts;
  readonly keys: () => Promise<KeysOverview>;
  readonly operators: () => Promise<readonly BackendOperator[]>;
}

/** The facts, and the picture whose digest is among them. */
export interface Gathered {
  readonly facts: Facts;
  /** As SVG. */
  readonly svg: string;
  /** The same as Mermaid. */
  readonly mermaid: string;
}

/** Everything that evidence says besides the checks. What is away is null, and named in `unknown` with its error's code. */
export async function gatherFacts(subject: FactsSubject): Promise<Gathered> {
  const { deployment, lines, model, images, signerPem, site, at, versions } = subject;
  const unknown: CommonFacts["unknown"] = [];
  const svg = await renderSvg(model, deployment);
  const overview = await asked(unknown, "keys", subject.keys);
  if (overview?.listed === false) unknown.push({ fact: "keys", code: "CUSTODY_SEALED" });
  const ofBackend = await asked(unknown, "fleet", subject.operators);
  const revoked = new Set(site.pki.ledger.revocations().map(({ issuer, serial }) => `${issuer}/${serial}`));
  const facts = await subject.engine({
    ...factsOfFile(deployment, images, signerPem),
    versions,
    diagram: digestOf(svg),
    profileLines: linesOf(lines),
    profileAssurances: assurancesOf(PROFILES[deployment.profile]),
    keys: keysOf(deployment, overview),
    certificates: certificatesOf(certificateFiles(site), at, (serial, issuer) => revoked.has(`${issuer}/${serial}`)),
    administrators: {
      ...administratorsOfFile(deployment),
      operatorCertificates: operatorsOf(site.pki.ledger.records(), at),
      operatorCertificatesOfBackend: ofBackend === undefined ? null : [...ofBackend],
    },
    unknown,
  });
  return { facts: plainTexts(facts), svg, mermaid: renderMermaid(model) };
}
