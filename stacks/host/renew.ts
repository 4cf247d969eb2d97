import type { CertsSite } from "./certs-site.ts";
import type { OperatorClient } from "./operator-client.ts";

/** What a renewal came to. */
export interface RenewReport {
  /** Components that were given new leaves, and have been told. */
  readonly renewed: readonly string[];
}

/**
 * Renews every leaf that is in the last third of its life and every revocation list that is due, and has the programs that do
 * not watch their files take them. Needs no network: the authorities' keys are on this host.
 */
export async function renewDue(site: CertsSite): Promise<RenewReport> {
  const renewed = await site.pki.converge();
  site.handOver();
  if (renewed.length > 0) await (await site.fleet()).apply(renewed);
  return { renewed };
}

/** Gives the backend every list of this host, and the anchors and pins that its gateways are to accept. */
export async function tellBackend({ pki }: Pick<CertsSite, "pki">, operator: OperatorClient): Promise<void> {
  const { current, next, previous } = pki.brokerKeys.read();
  const pins = [...new Set([current, next, previous].filter((pin) => pin !== undefined))];
  await operator("PUT", "/v1/trust", { anchors: pki.store.anchors(), broker_pins: pins });
  await operator("PUT", "/v1/crls", { crls: pki.crls.own(), issuers: pki.store.issuers() });
}
