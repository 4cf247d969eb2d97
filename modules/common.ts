import type { ConfigFile, Health, SecretRef, Socket } from "../model/component.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Placement } from "../model/placement.ts";
import { stableJson } from "../shared/stable-json.ts";

/** Name of the socket that answers `GET /status`, on every component of ours. */
export const CONTROL_SOCKET = "control";

/** The Node runtime in an image of ours. */
export const NODE = "/usr/bin/node";

/** The one bundled file of a service, in its image. */
export const PROGRAM = "/app/main.mjs";

/** Asks a control socket whether the component is ready, in an image of ours: `node PROBE SOCKET` exits with 0 when it is. */
export const PROBE = "/app/probe.mjs";

/** How every component of ours is watched. */
export const CONTROL_HEALTH = { kind: "socket", socket: CONTROL_SOCKET, startupSeconds: 30 } as const satisfies Health;

/** The same of one that may have to wait for an order or for another component. */
export const WAITING_HEALTH: Health = { ...CONTROL_HEALTH, mayWait: true };

/** Without it whoever may send a process SIGUSR1 has a debugger in it, and with that its memory. */
export const NO_INSPECTOR = "--disable-sigusr1";

/** What a container of our program `service` runs; its first file is its configuration. */
export function ownCommand(placement: Placement, name: string): readonly [string, ...string[]] {
  return [
    NODE,
    "--disable-warning=ExperimentalWarning",
    NO_INSPECTOR,
    PROGRAM,
    "--config",
    placement.configFile(name, "config.json"),
  ];
}

/** The sockets of a component that has the control socket alone. */
export function controlSockets(placement: Placement, name: string): readonly Socket[] {
  return [{ name: CONTROL_SOCKET, path: placement.socket(name, CONTROL_SOCKET) }];
}

/** The one configuration file of a component of ours, with the members that all of them have. */
export function configFile(
  deployment: Deployment,
  placement: Placement,
  name: string,
  members: Readonly<Record<string, unknown>>,
): readonly ConfigFile[] {
  const config = {
    name,
    tenant: deployment.tenant,
    controlSocket: placement.socket(name, CONTROL_SOCKET),
    ...members,
  };
  return [{ path: placement.configFile(name, "config.json"), content: `${stableJson(config, 2)}\n`, mode: 0o600 }];
}

/** References to secrets of a component, by name. */
export function secretRefs(placement: Placement, name: string, secrets: readonly string[]): readonly SecretRef[] {
  return secrets.map((secret) => ({ name: secret, file: placement.secretFile(name, secret) }));
}

/** Secret names of a component with a TLS identity: trust anchors, own chain, own key. */
export const TLS_SECRETS = ["ca.crt", "tls.crt", "tls.key"] as const;

/**
 * Secret of a server that cannot look at a client's class: the services' authority, which is all that its clients may be under.
 * With the root in its place, every gateway's certificate would do.
 */
export const SERVICES_ONLY = "services.crt";

/** The `tls` member of a service's configuration. */
export function tlsConfig(placement: Placement, name: string): Readonly<Record<string, string>> {
  return {
    caFile: placement.secretFile(name, "ca.crt"),
    certFile: placement.secretFile(name, "tls.crt"),
    keyFile: placement.secretFile(name, "tls.key"),
  };
}

/** Secret of every client of the broker: the keys that it may have, SHA-256 in lower-case hex on each line. */
export const PINS_SECRET = "broker.pins";

/** Secret with the issuers' revocation lists, of who asks for a client's or a server's certificate over TLS of its own. */
export const CRL_SECRET = "crl.pem";

/**
 * The `broker` member of a configuration of the broker's clients.
 * @param port @default "mqtts"
 */
export function brokerMember(
  placement: Placement,
  name: string,
  port = "mqtts",
): Readonly<Record<string, string | number>> {
  return { ...placement.endpoint("broker", port), pinsFile: placement.secretFile(name, PINS_SECRET) };
}

/** The `listen` member of a service's configuration. */
export function listenConfig(placement: Placement, name: string, port: string) {
  return { hosts: placement.listenAddresses(name, port), port: placement.endpoint(name, port).port };
}

/** Every IPv4 address that a container has, its loopback one included. */
export const EVERY_ADDRESS = "0.0.0.0";

/** What a program listens on that takes one address: the only one, or where there are several {@link EVERY_ADDRESS}. */
export function oneListenAddress(placement: Placement, name: string, port: string): string {
  const [first, ...others] = placement.listenAddresses(name, port);
  return others.length === 0 ? first : EVERY_ADDRESS;
}

/** Where a component's port is asked from inside its own container. */
export function ownAddress(placement: Placement, name: string, port: string): string {
  const [address] = placement.listenAddresses(name, port);
  return address === EVERY_ADDRESS ? "127.0.0.1" : address;
}
