import { adoptRevocations } from "../../stacks/host/adopt-revocations.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import type { OperatorClient } from "../../stacks/host/operator-client.ts";
import { learnRevoked } from "../../stacks/host/revoked-gateways.ts";
import type { CommandContext } from "../command.ts";
import { certsSite, changing } from "./certs-context.ts";

/**
 * Asks the backend to revoke something for good, and has this host know it: it issues nothing for a revoked gateway, with or
 * without a network, and lists what it had issued.
 * @throws what the backend refuses with, SERVICE_FAILED, STATE_LOCKED
 */
export async function revokeForGood(context: CommandContext, path: string, body?: object): Promise<object> {
  const site = await certsSite(context);
  const operator = await site.operator();
  const answer = (await operator("POST", path, ...(body === undefined ? [] : [body]))) as object;
  await takeRevocations(context, site, operator);
  return answer;
}

/** Has this host know what the backend has revoked. */
export function takeRevocations(context: CommandContext, site: CertsSite, operator: OperatorClient): Promise<void> {
  return changing(context, site, async () => {
    await learnRevoked(site, operator);
    await adoptRevocations(site, operator);
  });
}
