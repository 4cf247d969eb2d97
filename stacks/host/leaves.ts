import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { serviceDnsName } from "../../certs/cluster-names.ts";
import { issueLeaves } from "../../certs/deployment.ts";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import { serverName } from "../../model/placement.ts";
import { METRICS_SECRETS } from "../../modules/gateway/component.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { Authorities } from "./authorities.ts";
import { certificatesIn, fingerprintOf } from "./pem.ts";
import { type BrokerKeys, PINNED } from "./pins.ts";
import { assertMadeFor } from "./services-namespace.ts";
import type { StoreFiles } from "./store-files.ts";

/** A leaf is renewed in the last third of its life. */
const RENEW_AT = 2 / 3;

/** Published ports are reached at this machine's loopback address too. */
const LOOPBACK = "127.0.0.1";

/** A leaf that is revoked as soon as it is issued: who accepts it has no revocation list. */
export const PROBE = { name: "svc-probe-revoked", cert: "probe-revoked.crt", key: "probe-revoked.key" } as const;

/** What renewing needs. */
export interface LeavesRequest {
  readonly model: Model;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
  readonly authorities: Authorities;
  readonly tenant: string;
  /** The authorities' folder. */
  readonly authoritiesDir: string;
  /** Namespace of a cluster in which each component has a Service; undefined where no cluster runs them. */
  readonly namespace: string | undefined;
  readonly clock: () => Date;
  readonly files: StoreFiles;
  readonly brokerKeys: BrokerKeys;
  /** Fingerprints of leaves that are issued anew although they are young. */
  readonly expired: ReadonlySet<string>;
  /** Components that are given no leaf. */
  readonly revoked: ReadonlySet<string>;
  /** Hears of each leaf before it is written, so that none is in use that no record tells of. */
  readonly onLeaf: (certPem: string, event: SecurityEvent) => Promise<void>;
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
  /** Whether its clients pin its key, so that its next one is known before. */
  readonly pinned: boolean;
}

/**
 * Issues every certificate that a component names and that is missing, old, or not of the deployment's authorities.
 * @returns the components whose files changed
 * @throws AUTHORITY_NAMESPACE before anything is issued
 */
export async function renewLeaves(request: LeavesRequest): Promise<readonly string[]> {
  const old = request.model.components
    .filter(({ name }) => !request.revoked.has(name))
    .flatMap((component) => wantedBy(component, request))
    .filter((wanted) => !isYoung(wanted, request));
  if (old.some(({ issuer }) => issuer === "services")) assertMadeFor(request.authoritiesDir, request.namespace);
  for (const wanted of old) await renew(wanted, request);
  request.brokerKeys.settle();
  return [...new Set(old.map(({ component }) => component))];
}

/** The files of every leaf that a component has, its own first. */
export function leafFilesOf(
  component: Component,
  secretFile: (component: string, secret: string) => string,
): readonly string[] {
  return wantedBy(component, { secretFile })
    .filter(({ name }) => name !== PROBE.name)
    .map(({ certFile }) => certFile);
}

async function renew(wanted: Wanted, request: LeavesRequest): Promise<void> {
  const { authorities, clock, files, brokerKeys } = request;
  const { name, component, issuer, serverOnly, pinned } = wanted;
  const keyPem = pinned ? brokerKeys.nextKeyPem() : undefined;
  const service = { name, dnsNames: namesOf(component, request), ipAddresses: [LOOPBACK], serverOnly, keyPem };
  const { leaves, events } = await issueLeaves(authorities.issuers, {
    clock,
    services: issuer === "services" ? [service] : [],
    gateways: issuer === "gateways" ? [name] : [],
    operators: [],
  });
  const [leaf, event] = [leaves[0], events[0]];
  if (leaf === undefined || event === undefined) throw new TypeError(`no leaf was issued for ${name}`);
  await request.onLeaf(leaf.certPem, event);
  if (pinned) brokerKeys.promote();
  else files.write(wanted.keyFile, leaf.keyPem);
  files.write(wanted.certFile, leaf.certPem);
}

/**
 * In a cluster every service has the name of its Service too, and not only those whose clients need it today: it leads to that
 * component alone, so that it says no more than the first, and no client of tomorrow is forgotten.
 */
function namesOf(component: string, { tenant, namespace }: LeavesRequest): readonly string[] {
  const own = serverName(component, tenant);
  return namespace === undefined ? [own] : [own, serviceDnsName(component, namespace)];
}

function wantedBy(
  { name, identity, secrets }: Component,
  { secretFile }: Pick<LeavesRequest, "secretFile">,
): readonly Wanted[] {
  const has = (secret: string): boolean => secrets.some((one) => one.name === secret);
  const [metricsCert, metricsKey] = METRICS_SECRETS;
  const wanted = (leaf: Pick<Wanted, "name" | "serverOnly">, cert: string, key: string): Wanted => ({
    ...leaf,
    component: name,
    issuer: leaf.name.startsWith("gw-") ? "gateways" : "services",
    certFile: secretFile(name, cert),
    keyFile: secretFile(name, key),
    pinned: name === PINNED && cert === "tls.crt",
  });
  return [
    ...(identity === undefined ? [] : [wanted({ name: identity, serverOnly: false }, "tls.crt", "tls.key")]),
    ...(has(metricsCert) ? [wanted({ name: `svc-${name}`, serverOnly: true }, metricsCert, metricsKey)] : []),
    ...(has(PROBE.cert) ? [wanted({ name: PROBE.name, serverOnly: false }, PROBE.cert, PROBE.key)] : []),
  ];
}

/** Also false when a death between two writes left the key of one leaf with the certificate of another. */
function isYoung({ certFile, keyFile, issuer }: Wanted, { authorities, clock, expired }: LeavesRequest): boolean {
  const now = clock().getTime();
  try {
    const [leafPem = "", issuerPem = ""] = certificatesIn(readFileSync(certFile, "utf8"));
    const certificate = new X509Certificate(leafPem);
    const key = createPrivateKey(readFileSync(keyFile));
    const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
    const issuingPem = authorities.issuers[issuer].certPem;
    return (
      certificate.checkPrivateKey(key) &&
      certificate.verify(new X509Certificate(issuingPem).publicKey) &&
      // An authority that another root has signed keeps its key: its leaves must send the certificate that is accepted from now on.
      fingerprintOf(issuerPem) === fingerprintOf(issuingPem) &&
      !expired.has(fingerprintOf(leafPem)) &&
      now >= from &&
      now < from + (to - from) * RENEW_AT
    );
  } catch {
    return false;
  }
}
