import { type Model, verifiedModel } from "../model/boundary.ts";
import type { Deployment } from "../model/deployment.ts";
import { type Flow, flow } from "../model/flow.ts";
import type { Placement } from "../model/placement.ts";
import { backend } from "./backend/component.ts";
import { collector } from "./collector/component.ts";
import { custody, KEM_SOCKET } from "./custody/component.ts";
import { gateway } from "./gateway/component.ts";
import { broker } from "./mosquitto/component.ts";
import { simulator } from "./simulator/component.ts";
import { database } from "./timescaledb/component.ts";

/**
 * The components and flows of a deployment, in the order in which they start.
 * @throws BOUNDARY_BROKEN
 */
export function buildModel(deployment: Deployment, placement: Placement): Model {
  const parts = {
    database: database(deployment, placement),
    custody: custody(deployment, placement),
    broker: broker(deployment, placement),
    backend: backend(deployment, placement),
    collector: collector(deployment, placement),
    gateways: deployment.gateways.map((name) => gateway(deployment, placement, name)),
    simulators: deployment.simulator.sensors > 0 ? [simulator(deployment, placement)] : [],
  };
  const { gateways, simulators, ...services } = parts;
  return verifiedModel({
    engine: deployment.engine,
    components: [...Object.values(services), ...gateways, ...simulators],
    flows: flowsOf(parts, deployment),
  });
}

interface Parts {
  readonly database: ReturnType<typeof database>;
  readonly custody: ReturnType<typeof custody>;
  readonly broker: ReturnType<typeof broker>;
  readonly backend: ReturnType<typeof backend>;
  readonly collector: ReturnType<typeof collector>;
  readonly gateways: readonly ReturnType<typeof gateway>[];
  readonly simulators: readonly ReturnType<typeof simulator>[];
}

function flowsOf(parts: Parts, deployment: Deployment): readonly Flow[] {
  const { broker: to, collector: from } = parts;
  const oneMachine = deployment.engine === "embedded";
  return [
    flow({ from: parts.backend, to, port: "mqtts", protection: "mtls", carries: ["metadata"] }),
    flow({ from, to, port: "mqtts", protection: "mtls", carries: ["ciphertext", "metadata"] }),
    flow({ from, to: parts.backend, port: "https", protection: "mtls", carries: ["metadata"] }),
    flow({ from, to: parts.custody, port: KEM_SOCKET, protection: "unix", carries: ["ciphertext", "plaintext"] }),
    flow({
      from,
      to: parts.database,
      port: "postgres",
      protection: oneMachine ? "loopback" : "tls",
      carries: ["ciphertext", "plaintext", "metadata"],
    }),
    ...parts.gateways.map((edge) =>
      flow({ from: edge, to, port: "mqtts", protection: "mtls", carries: ["ciphertext", "metadata"] }),
    ),
    ...parts.simulators.flatMap((sensors) => [
      ...parts.gateways
        .slice(0, 1)
        .map((edge) =>
          flow({ from: sensors, to: edge, port: "coap", protection: "envelope", carries: ["ciphertext", "metadata"] }),
        ),
      flow({ from: sensors, to, port: "mqtts", protection: "mtls", carries: ["ciphertext", "metadata"] }),
    ]),
  ];
}
