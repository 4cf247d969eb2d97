import type { KubernetesTarget } from "../plan.ts";

/** What the life of a deployment in a cluster is handed; it reads no environment and no clock of its own. */
export interface ClusterOptions extends KubernetesTarget {
  /** State directory: authorities, secrets, and what ties it to the deployment. */
  readonly dir: string;
  readonly temporaryDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: () => Date;
  readonly pid: number;
  readonly signal: AbortSignal;
  /** Hears what happens, one short sentence at a time. */
  readonly onProgress: (what: string) => void;
  /** Hears what somebody has to know and what stops nothing. */
  readonly onWarning: (what: string) => void;
}
