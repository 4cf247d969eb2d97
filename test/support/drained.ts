import { setTimeout as sleep } from "node:timers/promises";
import type { Up } from "../../stacks/embedded/up.ts";
import type { Control } from "../../stacks/host/recipients.ts";

/** Waits until every component is ready and the gateway waits for no receipt. */
export async function drained({ deployed }: Up): Promise<void> {
  for (const { name } of deployed.model.components) await deployed.waitReady(name);
  await spoolIsEmpty(deployed.control);
}

/** Waits until the gateway waits for no receipt. */
export async function spoolIsEmpty(control: Control): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(250)) {
    const { counters } = (await control("gw-01", "GET", "/status")) as { counters: { spooled: number } };
    if (counters.spooled === 0) return;
  }
  throw new Error("the gateway still waits for receipts after 120 s");
}
