import type { Model } from "../../../../model/boundary.ts";
import type { Component, Port } from "../../../../model/component.ts";
import type { Flow } from "../../../../model/flow.ts";
import { serverName } from "../../../../model/placement.ts";
import type { Handshake } from "../../../../shared/prober.ts";
import { INSIDE } from "../../../../stacks/docker/placement.ts";
import { PROBE } from "../../../../stacks/host/leaves.ts";
import type { Shown, TlsAttempt } from "../observation.ts";
import type { Forged } from "./forged.ts";
import { addressIn, flowName, networkFlows, type ReachGround } from "./reach-questions.ts";

/** Folder of the helper that has the certificate which is revoked on purpose. */
export const REVOKED_FOLDER = "/run/revoked";

/** Of a connection that is to be taken, and of one that is to be refused: the second is waited for longer than any refusal takes. */
const SETTLE = { taken: 500, refused: 3000 } as const;

/** Longest wait for each answer of a port, in milliseconds: many ask at once, and the host may be busy. */
const TIMEOUT_MS = 8000;

const NEWEST = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
const OLD = { minVersion: "TLSv1", maxVersion: "TLSv1.2" } as const;

/**
 * The ports whose programs look at revocation lists: the broker's in the handshake (docs/adr/0033-broker-revocation.md), the backend
 * with each request, before anything of it is read.
 */
export const REVOKED_AT = ["broker.mqtts", "backend.https"] as const;
const ASKED: Readonly<Record<string, string | undefined>> = { "backend.https": "/" };

/** What the attempts are made of. */
export interface TlsGround extends ReachGround {
  /** Roots of the deployment, PEM. */
  readonly roots: string;
  readonly forged: Forged;
  /** Components whose ports look at revocation lists in the handshake, and have a certificate that is revoked on purpose. */
  readonly withRevoked: readonly string[];
}

/** The attempts, and the flows whose client has no certificate in a file. */
export interface TlsQuestions {
  readonly attempts: readonly Omit<TlsAttempt, "answer">[];
  readonly unshown: readonly string[];
}

/**
 * At each port with TLS: the handshake of every client of a flow, from its own network with its own certificate, and from one of
 * them what the port has to refuse.
 */
export function tlsQuestions(ground: TlsGround): TlsQuestions {
  const live = tlsFlows(ground.model).flatMap((flow) => placed(flow, ground));
  const able = live.filter(({ flow }) => isShown(ground.model, flow));
  const first = new Map(able.toReversed().map((each) => [`${each.flow.to}.${each.flow.port}`, each]));
  return {
    attempts: [
      ...able.map((each) => attempt(each, "own", own(each, ground), NEWEST)),
      ...[...first.values()].flatMap((each) => refusedOf(each, ground)),
      ...publishedOf(ground),
    ],
    unshown: live.filter((each) => !able.includes(each)).map(({ flow }) => flowName(flow)),
  };
}

/** The flows with TLS that cross a network. */
function tlsFlows(model: Model): readonly Flow[] {
  return networkFlows(model).filter(({ protection }) => protection === "mtls" || protection === "tls");
}

/** Whether a flow's handshake can be made: its client has its certificate in a file, or needs none. */
function isShown({ components }: Model, { from, protection }: Flow): boolean {
  return protection === "tls" || components.some((client) => client.name === from && hasOwn(client));
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

interface Placed {
  readonly flow: Flow;
  readonly client: Component;
  readonly port: Port;
  readonly host: string;
  readonly servername: string;
}

/** A flow whose two ends are there. */
function placed(flow: Flow, ground: ReachGround): readonly Placed[] {
  const { model, plan, inside } = ground;
  const named = (wanted: string) => model.components.find(({ name }) => name === wanted);
  const client = named(flow.from);
  const port = named(flow.to)?.ports.find(({ name }) => name === flow.port);
  const host = addressIn(ground, flow.to, flow);
  if (client === undefined || port === undefined || host === undefined || !inside.has(flow.from)) return [];
  return [{ flow, client, port, host, servername: serverName(flow.to, plan.deployment.tenant) }];
}

function hasOwn({ secrets }: Component): boolean {
  return ["tls.crt", "tls.key"].every((wanted) => secrets.some(({ name }) => name === wanted));
}

type Material = Pick<Handshake, "ca" | "cert" | "key">;

function own({ client, flow }: Placed, { roots }: TlsGround): Material {
  const ca = { pem: roots };
  if (flow.protection === "tls" || !hasOwn(client)) return { ca };
  return { ca, cert: { file: `${INSIDE.secrets}/tls.crt` }, key: { file: `${INSIDE.secrets}/tls.key` } };
}

function refusedOf(each: Placed, ground: TlsGround): readonly Omit<TlsAttempt, "answer">[] {
  const { flow, client } = each;
  const ca = { pem: ground.roots };
  const old = attempt(each, "old-version", own(each, ground), OLD);
  if (flow.protection !== "mtls") return [old];
  const forged = (["other-root", "other-tenant"] as const).flatMap((shows) => {
    const leaf = ground.forged[shows].get(client.identity ?? "");
    if (leaf === undefined) return [];
    return [attempt(each, shows, { ca, cert: { pem: leaf.certPem }, key: { pem: leaf.keyPem } }, NEWEST)];
  });
  const revoked = {
    cert: { file: `${REVOKED_FOLDER}/${PROBE.cert}` },
    key: { file: `${REVOKED_FOLDER}/${PROBE.key}` },
  };
  return [
    old,
    attempt(each, "nothing", { ca }, NEWEST),
    ...forged,
    ...(ground.withRevoked.includes(`${flow.to}.${flow.port}`)
      ? [attempt(each, "revoked", { ca, ...revoked }, NEWEST)].map((one) => ({
          ...one,
          handshake: { ...one.handshake, path: ASKED[`${flow.to}.${flow.port}`] },
        }))
      : []),
  ];
}

function attempt(
  { flow, port, host, servername }: Placed,
  shows: Shown,
  material: Material,
  versions: Pick<Handshake, "minVersion" | "maxVersion">,
): Omit<TlsAttempt, "answer"> {
  const settleMs = shows === "own" ? SETTLE.taken : SETTLE.refused;
  const postgres = flow.port === "postgres";
  const handshake = {
    host,
    port: port.port,
    servername,
    ...material,
    ...versions,
    postgres,
    settleMs,
    timeoutMs: TIMEOUT_MS,
  };
  return { from: flow.from, to: flow.to, port: flow.port, shows, handshake };
}

/** Published TCP ports from the host's side: of what version they are, and that they answer at all. */
function publishedOf({ model, plan, roots }: TlsGround): readonly Omit<TlsAttempt, "answer">[] {
  const { publishAddress } = plan.deployment.docker;
  const host = publishAddress === "0.0.0.0" ? "127.0.0.1" : publishAddress;
  return model.components.flatMap(({ name, ports }) =>
    ports
      .filter(({ publish, protocol }) => publish === true && protocol === "tcp")
      .flatMap((port) => {
        const spec = plan.containers.find((container) => container.name === name);
        const external = spec?.ports.find(
          ({ internal, protocol }) => internal === port.port && protocol === "tcp",
        )?.external;
        if (external === undefined) return [];
        const servername = serverName(name, plan.deployment.tenant);
        const common = {
          host,
          port: external,
          servername,
          ca: { pem: roots },
          postgres: port.name === "postgres",
          timeoutMs: TIMEOUT_MS,
        };
        const at = { from: "host", to: name, port: port.name };
        return [
          { ...at, shows: "host" as const, handshake: { ...common, ...NEWEST, settleMs: SETTLE.taken } },
          { ...at, shows: "old-version" as const, handshake: { ...common, ...OLD, settleMs: SETTLE.taken } },
        ];
      }),
  );
}
