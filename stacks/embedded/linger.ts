import { setTimeout as sleep } from "node:timers/promises";
import type { Model } from "../../model/boundary.ts";
import { socketAnswers } from "../../shared/socket-answers.ts";
import { embeddedErrors } from "./errors.ts";

/** Longest wait for the processes of a run that was killed, in milliseconds: longer than any service takes to stop. */
const LINGER_MS = 15_000;

/**
 * Waits until no process of an earlier run answers on the deployment's sockets: they end by themselves once the process
 * that had started them is gone.
 * @throws SERVICE_LINGERS naming the socket
 */
export async function waitForOldProcesses(model: Model, onWait: () => void): Promise<void> {
  const sockets = model.components.flatMap((component) => component.sockets.map(({ path }) => path));
  for (let waited = 0; ; waited += 100) {
    const answers = await Promise.all(sockets.map(socketAnswers));
    const living = sockets.find((_, index) => answers[index]);
    if (living === undefined) return;
    if (waited >= LINGER_MS)
      throw embeddedErrors.error("SERVICE_LINGERS", `a process still answers on "${living}"`, { path: living });
    if (waited === 0) onWait();
    await sleep(100);
  }
}
