import { join } from "node:path";
import type { Deployment } from "../../../model/deployment.ts";
import type { CertsSite } from "../certs-site.ts";
import { custodyManagement, MANAGE_MS } from "../custody-management.ts";
import { publishRecipients, updateSensors } from "../recipients.ts";
import { hostFiles } from "../store-files.ts";
import { destroyInCopies } from "./cold-copies.ts";
import type { EvidencePlace } from "./compromise.ts";
import { readKeyUse } from "./key-use.ts";
import type { GenerationsPlace } from "./place.ts";
import { custodyFolder, pinSigner } from "./signer-pin.ts";
import { sayingWhySealed } from "./why-sealed.ts";

/** Where the generations of a running deployment are. */
export interface GenerationsSite extends Pick<CertsSite, "layout" | "operator" | "clock"> {
  readonly deployment: Deployment;
  /** Custody's management socket, on this host. */
  readonly manageSocket: string;
  /** The collector's control socket, on this host. */
  readonly collectorSocket: string;
  /** Who asks, for custody's records: 1 to 200 characters. */
  readonly actor: string;
}

/** The generations of a running deployment, until it is closed. */
export interface OpenGenerations extends Disposable {
  readonly place: GenerationsPlace;
  readonly management: ReturnType<typeof custodyManagement>;
  /** @throws CUSTODY_SEALED, KEYS_SIGNER_CHANGED */
  readonly evidence: () => Promise<EvidencePlace>;
}

/** Where the journal of a rotation of generations is. */
export function keyJournalOf(stateDir: string): string {
  return join(custodyFolder(stateDir), "rotation.json");
}

/** The lock that everything holds which changes generations, for as long as it does. */
export function keysLockOf(stateDir: string): string {
  return join(stateDir, "lock.keys");
}

/** Opens what a deployment's generations are changed by. Nothing is asked yet. */
export function openGenerations(site: GenerationsSite): OpenGenerations {
  const { layout, deployment, manageSocket, actor } = site;
  const management = sayingWhySealed(custodyManagement(manageSocket));
  const list = async () => (await management.call("listGenerations", {}, MANAGE_MS)).generations;
  return {
    management,
    place: {
      custody: {
        list,
        generate: () => management.call("generate", { actor, state: "next" }, MANAGE_MS),
        activate: async (keyId) => void (await management.call("activate", { actor, keyId }, MANAGE_MS)),
        destroy: async (keyId) => void (await management.call("destroy", { actor, keyId }, MANAGE_MS)),
        compromise: (keyId, stored, reason) =>
          management.call("compromise", { actor, keyId, stored, reason }, MANAGE_MS),
      },
      publish: async (preferred) => {
        const operator = await site.operator();
        await publishRecipients(manageSocket, operator, preferred);
        await updateSensors(operator);
      },
      keyUse: () => readKeyUse(site.collectorSocket),
      destroyInCopies: (keyId) => destroyInCopies(layout.dir, keyId),
      schedule: deployment.custody.schedule,
      journalFile: keyJournalOf(layout.dir),
      files: hostFiles,
      clock: site.clock,
    },
    evidence: async () => {
      const { signerPublicKey } = await management.call("auditHead", {}, MANAGE_MS);
      return {
        signer: pinSigner(layout.dir, signerPublicKey),
        folder: join(custodyFolder(layout.dir), "evidence"),
        statement: async (keyId) => (await management.call("attest", { actor, keyId }, MANAGE_MS)).statement,
      };
    },
    [Symbol.dispose]: management.close,
  };
}
