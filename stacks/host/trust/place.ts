import { join } from "node:path";
import type { Deployment } from "../../../model/deployment.ts";
import type { Layout } from "../layout.ts";

/** The deployment whose start is looked at. */
export interface StartPlace {
  readonly deployment: Pick<Deployment, "name" | "tenant">;
  readonly layout: Layout;
  /** Paths of this host by which keys are used, or every container is at hand: no other container may see one. */
  readonly guarded: readonly string[];
  /** Name and value of the label of everything that belongs to the state directory. */
  readonly label: readonly [name: string, value: string];
}

/** The files of the chain of trust, in the folder `trust` of the state directory. */
export function trustFiles({ dir }: Pick<Layout, "dir">) {
  const folder = join(dir, "trust");
  return {
    folder,
    /** DSSE envelope of the manifest of the last deploy. */
    manifest: join(folder, "start-manifest.json"),
    /** Public key that it is verified with, PEM. */
    signer: join(folder, "start-signer.pem"),
    /** Private key, PEM, where it is on this host. */
    key: join(folder, "start.key"),
    /** The newest manifest that was accepted or written: version and digest. */
    seen: join(folder, "seen.json"),
    /** Public key that evidence is verified with, PEM. */
    evidenceSigner: join(folder, "evidence-signer.pem"),
    /** Private key that signs evidence, PEM, where it is on this host. */
    evidenceKey: join(folder, "evidence.key"),
    /** Public key that status files are verified with, PEM. */
    statusSigner: join(folder, "status-signer.pem"),
    /** Private key that signs status files, PEM, where it is on this host. */
    statusKey: join(folder, "status.key"),
  } as const;
}
