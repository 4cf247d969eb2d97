import type { KeyObject } from "node:crypto";
import { pinsInForce } from "../../runtime/pins.ts";
import type { ServiceContext } from "../../runtime/run.ts";
import { readText, type Tls13Options } from "../../runtime/tls.ts";
import { anchorsIn, type TlsStatus } from "../../runtime/tls-set.ts";
import type { Trust } from "../broker/trust.ts";
import type { GatewayConfig } from "../config.ts";
import type { Documents } from "../store/documents.ts";
import { createBackendClient } from "./backend-client.ts";
import { createConfiguration } from "./configuration.ts";
import type { Credential } from "./credential.ts";
import { createEnrolment } from "./enrolment.ts";
import { firstCertificate } from "./first-certificate.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { openIdentityFile } from "./identity-file.ts";
import { createIntroduction } from "./introduction.ts";
import { createRenewal, failureLine } from "./renewal.ts";
import { createSync } from "./sync.ts";

/** Who the gateway is, and what it is told to trust. */
export interface RunningIdentity extends Pick<Identity, "forBroker" | "brokerAccepted"> {
  /** Pins that the backend published; empty leaves it to the file. */
  readonly brokerPins: () => readonly string[];
  /** Something may have changed at the backend. */
  readonly refresh: () => void;
  /** What is in force, pins of the broker included; undefined before the gateway has a certificate. */
  readonly status: () => (TlsStatus & { readonly pins: readonly string[] }) | undefined;
  readonly stop: () => void;
}

/** What {@link startIdentity} is handed. */
export interface IdentityParts {
  readonly backendKey: KeyObject;
  readonly documents: Documents;
  readonly trust: Pick<Trust, "take">;
  /** A new credential is there, that works at the backend. */
  readonly onNewCredential: () => void;
}

const TICK_MS = 60_000;
/** How often the configured files are looked at for another token or certificate. */
const WATCH_MS = 5000;

/**
 * Reads what the gateway is, and keeps it: enrols it where it has no certificate, renews certificate and token, fetches
 * allowlist and configuration.
 * @throws SERVICE_FILE_UNREADABLE, SERVICE_TLS_INVALID
 */
export function startIdentity(context: ServiceContext<GatewayConfig>, parts: IdentityParts): RunningIdentity {
  const { config, log, events, now } = context;
  const gateway = config.name;
  const onError = (error: unknown): void => log.error({ err: error }, "gateway");
  const file = openIdentityFile(config.stateDir, onError);
  // A leaf that comes by hand in a rotation is of the root that the backend has told of, and the files have not.
  const told = (): string => configuration.held()?.anchors.join("\n") ?? "";
  const configured = configuredTls(context, file.state().current !== null, told);
  const configuredCa = (): string => configured?.ca ?? readText(config.tls.caFile);
  const { pinsFile } = config.broker;
  const files = (): string => [configuredCa(), ...pinsInForce({ pinsFile })].join();
  const configuration = createConfiguration({ gateway, ...parts, files, onError });
  const ca = (): string => {
    const anchors = configuration.held()?.anchors ?? [];
    return anchors.length > 0 ? anchors.join("\n") : configuredCa();
  };
  const brokerPins = (): readonly string[] => configuration.held()?.brokerPins ?? [];
  const identity = createIdentity({ gateway, file, configured, ca, tokenFile: config.tokenFile, now });

  const fail = (what: string, thrown: unknown): void => {
    const { reason, detail } = failureLine(thrown);
    log.warn({ reason, detail }, what);
    if (reason === "GATEWAY_BACKEND_REFUSED" || reason === "STEP_CA_REFUSED" || reason === "GATEWAY_RENEWAL_ANSWER")
      events.emit({ kind: "AUTH_FAILED", object: what, reason });
  };
  const changed = ({ sha256 }: Credential, kind: "CERT_RENEWED" | "ENROLLED"): void => {
    events.emit({ kind, object: sha256, reason: kind === "ENROLLED" ? "enrolled" : "renewed" });
    parts.onNewCredential();
    sync?.refresh();
  };
  const { enrolment } = config;
  const common = { gateway, identity, file, ca, now };
  const client =
    config.backend && createBackendClient({ target: targetOf(config.backend), identity, now, random: Math.random });
  const sync =
    client &&
    createSync({
      client,
      trust: parts.trust,
      configuration,
      inForce: () => ({ anchors: anchorsIn(ca()), pins: pinsInForce({ pinsFile, pins: brokerPins }) }),
      onConfiguration: () => void renewal?.tick(),
      intervalMs: (config.backend?.pollSeconds ?? 0) * 1000,
      now,
      onFailure: (document, thrown) => fail(`backend: ${document}`, thrown),
    });
  const renewal =
    client &&
    createRenewal({
      ...common,
      client,
      deviceKeyPem: enrolment && (() => readText(enrolment.deviceKeyFile)),
      authorities: () => configuration.held()?.gatewayAuthorities ?? [],
      onRenewed: (credential) => changed(credential, "CERT_RENEWED"),
      onFailure: (thrown) => fail("renewal", thrown),
    });
  const enrol =
    enrolment &&
    createEnrolment({
      ...common,
      ask: firstCertificate({ ...common, target: enrolment, client }),
      onEnrolled: (credential) => changed(credential, "ENROLLED"),
      onFailure: (thrown) => fail("enrolment", thrown),
    });
  const introduce =
    client &&
    enrolment &&
    createIntroduction({ client, identity, onFailure: (thrown) => fail("introduction", thrown) });
  const tick = (): void => void Promise.resolve(enrol?.()).then(introduce).then(renewal?.tick);
  const timer = setInterval(tick, TICK_MS);
  tick();
  sync?.refresh();
  // What is new is used at once: whoever put it there waits to take the old one away.
  let shown = credentialName(identity);
  const watch = setInterval(() => {
    const now = credentialName(identity);
    if (now !== shown) sync?.refresh();
    shown = now;
  }, WATCH_MS);
  return {
    forBroker: identity.forBroker,
    brokerAccepted: identity.brokerAccepted,
    brokerPins,
    refresh: () => sync?.refresh(),
    status: () => {
      const tls = identity.status();
      return tls && { ...tls, pins: pinsInForce({ pinsFile, pins: brokerPins }) };
    },
    stop: () => {
      clearInterval(timer);
      clearInterval(watch);
      sync?.stop();
    },
  };
}

/** Names the credential that the backend is shown, its token included. */
function credentialName({ credentials }: Pick<Identity, "credentials">): string {
  const [credential] = credentials();
  return `${credential?.sha256} ${credential?.token}`;
}

/** A gateway that enrols itself, or has done so, needs no certificate in its configured files. */
function configuredTls(
  { config, tls }: ServiceContext<GatewayConfig>,
  hasOwn: boolean,
  alsoTrusted: () => string,
): Tls13Options | null {
  try {
    return tls(config.tls, alsoTrusted);
  } catch (thrown) {
    if (config.enrolment || hasOwn) return null;
    throw thrown;
  }
}

function targetOf({ host, port, servername }: NonNullable<GatewayConfig["backend"]>) {
  return { host, port, servername };
}
