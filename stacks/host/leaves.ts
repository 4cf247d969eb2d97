import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { issueLeaves } from "../../certs/deployment.ts";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import { serverName } from "../../model/placement.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { Authorities } from "./authorities.ts";
import { writePrivate } from "./files.ts";

/** A leaf is renewed in the last third of its life. */
const RENEW_AT = 2 / 3;

/** What renewing needs. */
export interface LeavesRequest {
  readonly model: Model;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
  readonly authorities: Authorities;
  readonly tenant: string;
  readonly clock: () => Date;
  readonly onEvent: (event: SecurityEvent) => void;
}

type Identified = Component & { readonly identity: string };

/** Published ports are reached at this machine's loopback address too. */
const LOOPBACK = "127.0.0.1";

/**
 * Issues the certificate of every component that has an identity and no usable, young leaf of the deployment's authorities.
 * @returns names of the components with a new certificate
 */
export async function renewLeaves(request: LeavesRequest): Promise<readonly string[]> {
  const { model, secretFile, authorities, tenant, clock, onEvent } = request;
  const old = model.components
    .filter((component): component is Identified => component.identity !== undefined)
    .filter((component) => !isYoung(component, request));
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
    writePrivate(secretFile(component.name, "tls.key"), leaf.keyPem);
    writePrivate(secretFile(component.name, "tls.crt"), leaf.certPem);
  }
  for (const event of events) onEvent(event);
  return old.map(({ name }) => name);
}

/** Also false when a death between two writes left the key of one leaf with the certificate of another. */
function isYoung(component: Identified, { authorities, secretFile, clock }: LeavesRequest): boolean {
  const { issuers } = authorities;
  const now = clock();
  try {
    const certificate = new X509Certificate(readFileSync(secretFile(component.name, "tls.crt")));
    const key = createPrivateKey(readFileSync(secretFile(component.name, "tls.key")));
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
