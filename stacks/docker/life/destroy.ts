import { rmSync } from "node:fs";
import { join } from "node:path";
import { writing } from "../../host/files.ts";
import { takeLock } from "../../host/lock.ts";
import { removeStored } from "../../host/remove-stored.ts";
import { STACK_FILE } from "../terraform/init.ts";
import type { ProgressEvent } from "../terraform/progress.ts";
import { removeLeftovers } from "./leftovers.ts";
import type { DockerOptions } from "./options.ts";
import { renderDocker } from "./render.ts";
import { inWorkspace } from "./workspace.ts";

/** How to destroy. */
export interface DestroyOptions extends DockerOptions {
  /** Whether everything that was stored goes too: rows, keys, secrets, certificates. */
  readonly volumes: boolean;
  readonly onResource: (event: ProgressEvent) => void;
}

/** What a destroy came to. */
export interface DestroyReport {
  readonly schema: "trustkern.destroy/1";
  /** Resources that were removed. */
  readonly removed: number;
  /** Whether volumes, keys and secrets are still in the state directory. */
  readonly kept: boolean;
}

/**
 * Removes every container and network of the deployment. Volumes, keys and secrets stay in the state directory, and a later
 * deploy goes on with them, unless `volumes` says otherwise.
 * @throws STATE_LOCKED, DOCKER_UNREACHABLE, and what OpenTofu fails with
 */
export async function destroyDocker(options: DestroyOptions): Promise<DestroyReport> {
  const rendered = renderDocker(options);
  const { layout } = rendered;
  let removed = 0;
  const counting = {
    ...options,
    onResource: (event: ProgressEvent) => {
      if (event.state === "done" && event.action === "delete") removed += 1;
      options.onResource(event);
    },
  };
  await inWorkspace(counting, rendered, async ({ terraform, keepStack }) => {
    keepStack();
    await terraform.destroy();
    await removeLeftovers(options, rendered, await terraform.resources());
    const stack = join(layout.terraformDir, STACK_FILE);
    writing(stack, () => rmSync(stack, { force: true }));
  });
  if (options.volumes) {
    const unlock = takeLock(layout.lockFile, options.pid);
    try {
      removeStored(layout);
    } finally {
      unlock();
    }
  }
  return { schema: "trustkern.destroy/1", removed, kept: !options.volumes };
}
