import type { Model } from "../../../../model/boundary.ts";
import type { Component, Port } from "../../../../model/component.ts";
import type { Handshake } from "../../../../shared/prober.ts";
import type { TlsAttempt } from "../../running/observation.ts";
import { NEWEST, OLD, SETTLE, TIMEOUT_MS, type TlsMaterial, tlsFlows } from "../../running/observe/tls-shows.ts";

/** A port of a component. */
export interface OwnPort {
  readonly component: Component;
  readonly port: Port;
}

/** The same, where it is asked. */
export interface PlacedPort extends OwnPort {
  readonly at: Pick<Handshake, "host" | "port" | "servername">;
}

/** The TCP ports that no flow of TLS leads to: nobody of the deployment asks them, and what they speak counts all the same. */
export function portsWithoutFlow(model: Model): readonly OwnPort[] {
  const asked = new Set(tlsFlows(model).map(({ to, port }) => `${to}.${port}`));
  return model.components.flatMap((component) =>
    component.ports
      .filter(({ name, protocol }) => protocol === "tcp" && !asked.has(`${component.name}.${name}`))
      .map((port) => ({ component, port })),
  );
}

/** What version a port speaks, as it is asked by the component itself: the newest, so that it is seen to answer, and older ones. */
export function versionsOf(
  { component, port, at }: PlacedPort,
  { roots, own }: TlsMaterial,
): readonly Omit<TlsAttempt, "answer">[] {
  const hasOwn = component.secrets.some(({ name }) => name === "tls.key");
  const common = {
    ...at,
    ...(hasOwn ? own(component) : {}),
    ...{ ca: { pem: roots }, postgres: port.name === "postgres" },
    ...{ settleMs: SETTLE.taken, timeoutMs: TIMEOUT_MS },
  };
  const of = { from: "host", to: component.name, port: port.name };
  return [
    { ...of, shows: "host", handshake: { ...common, ...NEWEST } },
    { ...of, shows: "old-version", handshake: { ...common, ...OLD } },
  ];
}
