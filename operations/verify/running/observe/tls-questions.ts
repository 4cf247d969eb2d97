import { serverName } from "../../../../model/placement.ts";
import { INSIDE } from "../../../../stacks/docker/placement.ts";
import { PROBE } from "../../../../stacks/host/leaves.ts";
import type { TlsAttempt } from "../observation.ts";
import type { Forged } from "./forged.ts";
import { addressIn, type ReachGround } from "./reach-questions.ts";
import {
  NEWEST,
  OLD,
  type PlacedFlow,
  SETTLE,
  showAll,
  TIMEOUT_MS,
  type TlsMaterial,
  type TlsQuestions,
  tlsFlows,
} from "./tls-shows.ts";

/** Folder of the helper that has the certificate which is revoked on purpose. */
export const REVOKED_FOLDER = "/run/revoked";

/** What the attempts are made of. */
export interface TlsGround extends ReachGround {
  /** Roots of the deployment, PEM. */
  readonly roots: string;
  readonly forged: Forged;
  /** Whether there is a certificate that is revoked on purpose. */
  readonly withRevoked: boolean;
}

/**
 * At each port with TLS: the handshake of every client of a flow, from its own network with its own certificate, and from one of
 * them what the port has to refuse; and published ports from the host's side.
 */
export function tlsQuestions(ground: TlsGround): TlsQuestions {
  const live = tlsFlows(ground.model).flatMap((flow) => placed(flow, ground));
  const { attempts, unshown } = showAll(live, ground.model, materialOf(ground));
  return { attempts: [...attempts, ...publishedOf(ground)], unshown };
}

/** The files that a helper sees. */
function materialOf({ roots, forged, withRevoked }: TlsGround): TlsMaterial {
  const files = (folder: string, cert: string, key: string) => ({
    cert: { file: `${folder}/${cert}` },
    key: { file: `${folder}/${key}` },
  });
  const revoked = withRevoked ? files(REVOKED_FOLDER, PROBE.cert, PROBE.key) : undefined;
  return { roots, forged, own: () => files(INSIDE.secrets, "tls.crt", "tls.key"), revoked };
}

/** A flow whose two ends are there. */
function placed(flow: PlacedFlow["flow"], ground: ReachGround): readonly PlacedFlow[] {
  const { model, plan, inside } = ground;
  const named = (wanted: string) => model.components.find(({ name }) => name === wanted);
  const client = named(flow.from);
  const port = named(flow.to)?.ports.find(({ name }) => name === flow.port);
  const host = addressIn(ground, flow.to, flow);
  if (client === undefined || port === undefined || host === undefined || !inside.has(flow.from)) return [];
  const servername = serverName(flow.to, plan.deployment.tenant);
  return [{ flow, client, at: { host, port: port.port, servername } }];
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
