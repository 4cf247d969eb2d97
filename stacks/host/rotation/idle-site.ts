import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Deployment } from "../../../model/deployment.ts";
import { buildModel } from "../../../modules/index.ts";
import { referencePlacement } from "../../../modules/reference-placement.ts";
import { type CertsSite, journalFileOf } from "../certs-site.ts";
import { hostErrors } from "../errors.ts";
import { logEvent } from "../event-log.ts";
import type { Layout } from "../layout.ts";
import { makeOriginals } from "../originals.ts";
import { openStoredPki } from "../secrets.ts";
import { isMadeForAnother, servicesNamespace } from "../services-namespace.ts";
import { hostFiles } from "../store-files.ts";
import type { Fleet } from "./fleet.ts";
import { readJournal } from "./journal.ts";

/** The rotation that mends an authority of services which was made for another namespace or engine. */
const MENDS = "intermediate:services";

/** What {@link idleSite} is made of. */
export interface IdleSiteRequest {
  readonly layout: Layout;
  readonly deployment: Deployment;
  readonly clock: () => Date;
  /** Common name of who does it, for the ledger. */
  readonly actor: string;
}

/**
 * Whether a rotation is of an authority of services that was made for another namespace or engine. No deploy takes such a one, so that
 * nobody runs with it here who would have to be asked.
 * @param what as `--what` has it; undefined for the rotation that has begun
 */
export function mendsNamespace({ layout, deployment }: IdleSiteRequest, what: string | undefined): boolean {
  if ((what ?? readJournal(journalFileOf({ layout }))?.what) !== MENDS) return false;
  return isMadeForAnother(layout.authoritiesDir, servicesNamespace(deployment));
}

/**
 * The certificates of a deployment of which nothing runs: authorities, their lists and the ledger. Leaves are the next deploy's.
 * @throws STATE_CORRUPT, and every SIGNER_ code
 */
export async function idleSite({ layout, deployment, clock, actor }: IdleSiteRequest): Promise<CertsSite> {
  const { tenant } = deployment;
  const namespace = servicesNamespace(deployment);
  const model = buildModel(deployment, referencePlacement(deployment));
  const secretFile = (component: string, secret: string): string => join(layout.secretsDir, component, secret);
  // Whoever holds a ceremony and deploys nothing has no secrets yet, and the rotation needs the word that opens a root in a file.
  makeOriginals({ layout, model, files: hostFiles, existing: existsSync(layout.stateFile) });
  const stored = { layout, model, secretFile, tenant, namespace, clock };
  const pki = await openStoredPki({ ...stored, onEvent: (event) => logEvent(layout, event) }, actor);
  const converge = async (): Promise<readonly string[]> => {
    await pki.crls.refresh();
    return [];
  };
  return {
    ...{ layout, model, tenant, clock, secretFile },
    pki: { ...pki, converge },
    keyPlaces: deployment.pki,
    support: deployment.support,
    handOver: async () => undefined,
    operator: async () => nobodyAnswers,
    fleet: async () => NOBODY,
  };
}

const nobodyAnswers = async (): Promise<never> => {
  throw hostErrors.error("NOT_DEPLOYED", "nothing of the deployment runs");
};

/** Who is not there has nothing in force, and takes everything from its files when it starts. */
const NOBODY: Fleet = {
  members: async () => [],
  apply: async () => undefined,
  announce: async () => undefined,
  publishCrls: async () => undefined,
  pendingCrls: async () => [],
  newToken: nobodyAnswers,
  tokens: nobodyAnswers,
  revokeToken: nobodyAnswers,
};
