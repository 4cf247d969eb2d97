import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { issueLeaves } from "../../certs/deployment.ts";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { Authorities } from "./authorities.ts";
import { writePrivate } from "./files.ts";
import { LOOPBACK, serverName } from "./placement.ts";

/** A leaf is renewed in the last third of its life. */
const RENEW_AT = 2 / 3;

/** What renewing needs. */
export interface LeavesRequest {
  readonly model: Model;
  readonly authorities: Authorities;
  readonly tenant: string;
  readonly clock: () => Date;
  readonly onEvent: (event: SecurityEvent) => void;
}

type Identified = Component & { readonly identity: string };

/** Issues the certificate of every component that has an identity and no usable, young leaf of the deployment's authorities. */
export async function renewLeaves({ model, authorities, tenant, clock, onEvent }: LeavesRequest): Promise<void> {
  const old = model.components
    .filter((component): component is Identified => component.identity !== undefined)
    .filter((component) => !isYoung(component, authorities, clock()));
  const isGateway = ({ identity }: Identified): boolean => identity.startsWith("gw-");
  const { leaves, events } = await issueLeaves(authorities.issuers, {
    clock,
    services: old
      .filter((component) => !isGateway(component))
      .map(({ identity, name }) => ({ name: identity, dnsNames: [serverName(name, tenant)], ipAddresses: [LOOPBACK] })),
    gateways: old.filter(isGateway).map(({ identity }) => identity),
    operators: [],
  });
  for (const component of old) {
    const leaf = leaves.find(({ name }) => name === component.identity);
    if (leaf === undefined) throw new TypeError(`no leaf was issued for ${component.identity}`);
    writePrivate(secretFile(component, "tls.key"), leaf.keyPem);
    writePrivate(secretFile(component, "tls.crt"), leaf.certPem);
  }
  for (const event of events) onEvent(event);
}

/** Also false when a death between two writes left the key of one leaf with the certificate of another. */
function isYoung(component: Identified, { issuers }: Authorities, now: Date): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(secretFile(component, "tls.crt")));
    const key = createPrivateKey(readFileSync(secretFile(component, "tls.key")));
    const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
    const issuer = new X509Certificate(issuers[component.identity.startsWith("gw-") ? "gateways" : "services"].certPem);
    return (
      certificate.checkPrivateKey(key) &&
      certificate.verify(issuer.publicKey) &&
      now.getTime() >= from &&
      now.getTime() < from + (to - from) * RENEW_AT
    );
  } catch {
    return false;
  }
}

function secretFile(component: Component, name: string): string {
  return component.secrets.find((secret) => secret.name === name)?.file ?? "";
}
