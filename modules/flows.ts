import type { ComponentIn } from "../model/component.ts";
import type { Engine } from "../model/deployment.ts";
import { type Flow, flow } from "../model/flow.ts";
import { KEM_SOCKET } from "./custody/component.ts";
import { REPLICAS_PORT } from "./custody-broker/component.ts";
import { collectorsPort } from "./mosquitto/component.ts";
import { METRICS_PORT } from "./prometheus/metrics-port.ts";
import { LOGS_SOCKET } from "./shipper/component.ts";

/** The components that carry telemetry, on every engine. */
export interface CoreParts {
  readonly database: ComponentIn<"decryption">;
  readonly custody: ComponentIn<"decryption">;
  readonly custodyBroker: ComponentIn<"decryption">;
  readonly broker: ComponentIn<"ingress">;
  readonly backend: ComponentIn<"operations">;
  readonly collector: ComponentIn<"decryption">;
  readonly gateways: readonly ComponentIn<"edge">[];
  readonly simulators: readonly ComponentIn<"device">[];
}

/** What stands around them where the engine runs containers. */
export interface SupportParts {
  readonly schema: ComponentIn<"decryption">;
  /** The online authorities. */
  readonly stepCas: readonly ComponentIn<"operations">[];
  /** None where there is no Loki to ask. */
  readonly lokis: readonly ComponentIn<"operations">[];
  readonly prometheus: ComponentIn<"operations">;
  /** None where the engine carries no log lines. */
  readonly shippers: readonly ComponentIn<"operations">[];
  readonly grafanas: readonly ComponentIn<"decryption">[];
}

/** Who connects to whom to carry telemetry. */
export function coreFlows(parts: CoreParts, engine: Engine): readonly Flow[] {
  const { broker: to, collector: from } = parts;
  const carries = ["ciphertext", "plaintext"] as const;
  // In a cluster there are several collectors, on other machines than custody.
  const asking = engine === "kubernetes" ? "mtls" : "unix";
  return [
    flow({ from: parts.backend, to, port: "mqtts", protection: "mtls", carries: ["metadata"] }),
    // Whose sessions have to end, and the revocation lists.
    flow({ from: to, to: parts.backend, port: "https", protection: "mtls", carries: ["metadata"] }),
    flow({ from, to, port: collectorsPort({ engine }), protection: "mtls", carries: ["ciphertext", "metadata"] }),
    flow({ from, to: parts.backend, port: "https", protection: "mtls", carries: ["metadata"] }),
    flow({ from, to: parts.custodyBroker, port: KEM_SOCKET, protection: asking, carries }),
    flow({ from: parts.custodyBroker, to: parts.custody, port: KEM_SOCKET, protection: "unix", carries }),
    ...amongCustodies(parts.custodyBroker),
    flow({
      from,
      to: parts.database,
      port: "postgres",
      protection: engine === "embedded" ? "loopback" : "tls",
      carries: ["ciphertext", "plaintext", "metadata"],
    }),
    ...parts.gateways.flatMap((edge) => [
      flow({ from: edge, to, port: "mqtts", protection: "mtls", carries: ["ciphertext", "metadata"] }),
      flow({ from: edge, to: parts.backend, port: "https", protection: "mtls", carries: ["metadata"] }),
    ]),
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

/** Where there are several custodies, their brokers carry what is known of the keys, and the keys as a server has wrapped them. */
function amongCustodies(broker: ComponentIn<"decryption">): readonly Flow[] {
  if (broker.replicas === 1) return [];
  const ends = { from: broker, to: broker, port: REPLICAS_PORT } as const;
  return [flow({ ...ends, protection: "mtls", carries: ["ciphertext", "metadata"] })];
}

/** Who connects to whom to look after it, and what the engine carries by itself: log lines. */
export function supportFlows(core: CoreParts, support: SupportParts): readonly Flow[] {
  const { schema, stepCas, lokis, prometheus, shippers, grafanas } = support;
  const { database, backend, collector } = core;
  // The engine hands a container's log lines to the shipper: nobody connects, and nothing is mounted.
  const logs = shippers.map(
    (to) => ({ to, port: LOGS_SOCKET, protection: "unix", carries: ["metadata"], byEngine: true }) as const,
  );
  const metadata = { protection: "mtls", carries: ["metadata"] } as const;
  return [
    flow({ from: schema, to: database, port: "postgres", protection: "tls", carries: ["metadata"] }),
    ...lokis.flatMap((to) => [...shippers, prometheus].map((from) => flow({ from, to, port: "https", ...metadata }))),
    flow({ from: prometheus, to: backend, port: METRICS_PORT, ...metadata }),
    flow({ from: prometheus, to: collector, port: METRICS_PORT, ...metadata }),
    flow({ from: prometheus, to: core.broker, port: METRICS_PORT, ...metadata }),
    ...core.gateways.map((to) => flow({ from: prometheus, to, port: METRICS_PORT, ...metadata })),
    ...grafanas.flatMap((from) => [
      flow({ from, to: database, port: "postgres", protection: "tls", carries: ["plaintext", "metadata"] }),
      ...lokis.map((to) => flow({ from, to, port: "https", ...metadata })),
      flow({ from, to: prometheus, port: "https", ...metadata }),
    ]),
    ...[database, core.custody, core.custodyBroker, collector, schema, ...grafanas].flatMap((from) =>
      logs.map((log) => flow({ from, ...log })),
    ),
    ...stepCas.flatMap((authority) => [
      // An authority knows its clients by the tokens that they bring: it asks for no certificate.
      flow({ from: backend, to: authority, port: "https", protection: "tls", carries: ["metadata"] }),
      flow({ from: authority, to: backend, port: "https", ...metadata }),
    ]),
    ...[backend, ...stepCas, ...lokis, prometheus].flatMap((from) => logs.map((log) => flow({ from, ...log }))),
    ...logs.map((log) => flow({ from: core.broker, ...log })),
    ...core.gateways.flatMap((from) => logs.map((log) => flow({ from, ...log }))),
    ...core.simulators.flatMap((from) => logs.map((log) => flow({ from, ...log }))),
  ];
}
