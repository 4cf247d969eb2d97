import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { issueLeaves } from "../../certs/deployment.ts";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import { serverName } from "../../model/placement.ts";
import { METRICS_SECRETS } from "../../modules/gateway/component.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { Authorities } from "./authorities.ts";
import { writePrivate } from "./files.ts";

/** A leaf is renewed in the last third of its life. */
const RENEW_AT = 2 / 3;

/** Published ports are reached at this machine's loopback address too. */
const LOOPBACK = "127.0.0.1";

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

/** A certificate that a component names among its secrets. */
interface Wanted {
  readonly component: string;
  /** Common name. */
  readonly name: string;
  readonly issuer: "services" | "gateways";
  readonly serverOnly: boolean;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Issues every certificate that a component names and that is missing, old, or not of the deployment's authorities. */
export async function renewLeaves(request: LeavesRequest): Promise<void> {
  const { model, authorities, tenant, clock, onEvent } = request;
  const old = model.components
    .flatMap((component) => wantedBy(component, request))
    .filter((wanted) => !isYoung(wanted, request));
  const { leaves, events } = await issueLeaves(authorities.issuers, {
    clock,
    services: old
      .filter(({ issuer }) => issuer === "services")
      .map(({ name, component, serverOnly }) => ({
        name,
        dnsNames: [serverName(component, tenant)],
        ipAddresses: [LOOPBACK],
        serverOnly,
      })),
    gateways: old.filter(({ issuer }) => issuer === "gateways").map(({ name }) => name),
    operators: [],
  });
  for (const { name, certFile, keyFile } of old) {
    const leaf = leaves.find((issued) => issued.name === name);
    if (leaf === undefined) throw new TypeError(`no leaf was issued for ${name}`);
    writePrivate(keyFile, leaf.keyPem);
    writePrivate(certFile, leaf.certPem);
  }
  for (const event of events) onEvent(event);
}

function wantedBy({ name, identity, secrets }: Component, { secretFile }: LeavesRequest): readonly Wanted[] {
  const [metricsCert, metricsKey] = METRICS_SECRETS;
  const own: readonly Wanted[] =
    identity === undefined
      ? []
      : [
          {
            component: name,
            name: identity,
            issuer: identity.startsWith("gw-") ? "gateways" : "services",
            serverOnly: false,
            certFile: secretFile(name, "tls.crt"),
            keyFile: secretFile(name, "tls.key"),
          },
        ];
  if (!secrets.some((secret) => secret.name === metricsCert)) return own;
  const metrics: Wanted = {
    component: name,
    name: `svc-${name}`,
    issuer: "services",
    serverOnly: true,
    certFile: secretFile(name, metricsCert),
    keyFile: secretFile(name, metricsKey),
  };
  return [...own, metrics];
}

/** Also false when a death between two writes left the key of one leaf with the certificate of another. */
function isYoung({ certFile, keyFile, issuer }: Wanted, { authorities, clock }: LeavesRequest): boolean {
  const now = clock().getTime();
  try {
    const certificate = new X509Certificate(readFileSync(certFile));
    const key = createPrivateKey(readFileSync(keyFile));
    const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
    return (
      certificate.checkPrivateKey(key) &&
      certificate.verify(new X509Certificate(authorities.issuers[issuer].certPem).publicKey) &&
      now >= from &&
      now < from + (to - from) * RENEW_AT
    );
  } catch {
    return false;
  }
}
