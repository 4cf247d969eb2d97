import { existsSync } from "node:fs";
import { type CertsSite, journalFileOf } from "./certs-site.ts";
import type { OperatorClient } from "./operator-client.ts";
import { acceptedPins } from "./pins.ts";

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
  await site.handOver();
  if (renewed.length > 0) await (await site.fleet()).apply(renewed);
  return { renewed };
}

/**
 * Gives the backend every list of this host, the anchors and pins that its gateways are to accept, and the authority whose leaves
 * they need not renew. While a rotation goes on, that is its to say: it waits until the new authority issues.
 */
export async function tellBackend(site: Pick<CertsSite, "pki" | "layout">, operator: OperatorClient): Promise<void> {
  const { pki } = site;
  const rotating = existsSync(journalFileOf(site));
  await operator("PUT", "/v1/trust", {
    anchors: pki.store.anchors(),
    broker_pins: acceptedPins(pki.brokerKeys.read()),
    ...(rotating ? {} : { gateway_authorities: [pki.store.fingerprint("gateways")] }),
  });
  await operator("PUT", "/v1/crls", { crls: pki.crls.own(), issuers: pki.store.issuers() });
}
