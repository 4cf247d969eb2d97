import type { Model } from "../../../../model/boundary.ts";
import type { Component } from "../../../../model/component.ts";
import type { Flow } from "../../../../model/flow.ts";
import type { Handshake } from "../../../../shared/prober.ts";
import type { Shown, TlsAttempt } from "../observation.ts";
import type { Forged } from "./forged.ts";
import { flowName, networkFlows } from "./reach-questions.ts";

/** Of a connection that is to be taken, and of one that is to be refused: the second is waited for longer than any refusal takes. */
export const SETTLE = { taken: 500, refused: 3000 } as const;

/** Longest wait for each answer of a port, in milliseconds: many ask at once, and the host may be busy. */
export const TIMEOUT_MS = 8000;

/** Versions that have to be spoken, and those that must not. */
export const NEWEST = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
export const OLD = { minVersion: "TLSv1", maxVersion: "TLSv1.2" } as const;

/**
 * The ports whose programs look at revocation lists: the broker's in the handshake (docs/adr/0033-broker-revocation.md), the backend
 * with each request, before anything of it is read.
 */
export const REVOKED_AT = ["broker.mqtts", "backend.https"] as const;
const ASKED: Readonly<Record<string, string | undefined>> = { "backend.https": "/" };

type Shows = Pick<Handshake, "cert" | "key">;

/** What clients show. */
export interface TlsMaterial {
  /** Roots of the deployment, PEM. */
  readonly roots: string;
  readonly forged: Forged;
  /** A client's own certificate and key. */
  readonly own: (client: Component) => Shows;
  /** One that is revoked on purpose; undefined where there is none. */
  readonly revoked: Shows | undefined;
}

/** A flow whose port can be asked, and where. */
export interface PlacedFlow {
  readonly flow: Flow;
  readonly client: Component;
  readonly at: Pick<Handshake, "host" | "port" | "servername">;
  /** Where a port of one name is at several places, which of them: each has to refuse. @default the port's name */
  readonly place?: string;
}

/** The attempts, and the flows whose client has no certificate in a file. */
export interface TlsQuestions {
  readonly attempts: readonly Omit<TlsAttempt, "answer">[];
  readonly unshown: readonly string[];
}

/** The flows with TLS that cross a network. */
export function tlsFlows(model: Model): readonly Flow[] {
  return networkFlows(model).filter(({ protection }) => protection === "mtls" || protection === "tls");
}

/** What has to be shown at each port of a model, as `COMPONENT.PORT`, for anything to be proven of it. */
export function neededShows(model: Model): ReadonlyMap<string, ReadonlySet<Shown>> {
  const needed = new Map<string, Set<Shown>>();
  for (const flow of tlsFlows(model).filter((one) => isShown(model, one))) {
    const port = `${flow.to}.${flow.port}`;
    const shows = needed.get(port) ?? new Set();
    for (const one of ["own", "old-version"] as const) shows.add(one);
    if (flow.protection === "mtls")
      for (const one of ["nothing", "other-root", "other-tenant"] as const) shows.add(one);
    if (REVOKED_AT.some((at) => at === port)) shows.add("revoked");
    needed.set(port, shows);
  }
  return needed;
}

/**
 * The handshake of every client of a flow with its own certificate, and at each place what the port there has to refuse, as one of
 * its clients.
 */
export function showAll(live: readonly PlacedFlow[], model: Model, material: TlsMaterial): TlsQuestions {
  const able = live.filter(({ flow }) => isShown(model, flow));
  const first = new Map(able.toReversed().map((each) => [each.place ?? `${each.flow.to}.${each.flow.port}`, each]));
  return {
    attempts: [
      ...able.map((each) => attempt(each, "own", { ca: { pem: material.roots }, ...ownOf(each, material) }, NEWEST)),
      ...[...first.values()].flatMap((each) => refusedOf(each, material)),
    ],
    unshown: live.filter((each) => !able.includes(each)).map(({ flow }) => flowName(flow)),
  };
}

/** Whether a flow's handshake can be made: its client has its certificate in a file, or needs none. */
function isShown({ components }: Model, { from, protection }: Flow): boolean {
  return protection === "tls" || components.some((client) => client.name === from && hasOwn(client));
}

function hasOwn({ secrets }: Component): boolean {
  return ["tls.crt", "tls.key"].every((wanted) => secrets.some(({ name }) => name === wanted));
}

function ownOf({ client, flow }: PlacedFlow, { own }: TlsMaterial): Shows {
  return flow.protection === "tls" || !hasOwn(client) ? {} : own(client);
}

function refusedOf(each: PlacedFlow, material: TlsMaterial): readonly Omit<TlsAttempt, "answer">[] {
  const { flow, client } = each;
  const made = (shows: Shown, shown: Shows, versions: Versions = NEWEST) =>
    attempt(each, shows, { ca: { pem: material.roots }, ...shown }, versions);
  const old = made("old-version", ownOf(each, material), OLD);
  if (flow.protection !== "mtls") return [old];
  const forged = (["other-root", "other-tenant"] as const).flatMap((shows) => {
    const leaf = material.forged[shows].get(client.identity ?? "");
    return leaf === undefined ? [] : [made(shows, { cert: { pem: leaf.certPem }, key: { pem: leaf.keyPem } })];
  });
  const port = `${flow.to}.${flow.port}`;
  const revoked =
    material.revoked !== undefined && REVOKED_AT.some((at) => at === port)
      ? [made("revoked", material.revoked)].map((one) => ({
          ...one,
          handshake: { ...one.handshake, path: ASKED[port] },
        }))
      : [];
  return [old, made("nothing", {}), ...forged, ...revoked];
}

type Versions = Pick<Handshake, "minVersion" | "maxVersion">;

function attempt(
  { flow, at }: PlacedFlow,
  shows: Shown,
  material: Shows & Pick<Handshake, "ca">,
  versions: Versions,
): Omit<TlsAttempt, "answer"> {
  const settleMs = shows === "own" ? SETTLE.taken : SETTLE.refused;
  const postgres = flow.port === "postgres";
  const handshake = { ...at, ...material, ...versions, postgres, settleMs, timeoutMs: TIMEOUT_MS };
  return { from: flow.from, to: flow.to, port: flow.port, shows, handshake };
}
