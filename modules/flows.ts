import type { ComponentIn } from "../model/component.ts";
import type { Engine } from "../model/deployment.ts";
import { type Flow, flow } from "../model/flow.ts";
import { KEM_SOCKET } from "./custody/component.ts";
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
  readonly loki: ComponentIn<"operations">;
  readonly prometheus: ComponentIn<"operations">;
  readonly shipper: ComponentIn<"operations">;
  readonly grafanas: readonly ComponentIn<"decryption">[];
}

/** Who connects to whom to carry telemetry. */
export function coreFlows(parts: CoreParts, engine: Engine): readonly Flow[] {
  const { broker: to, collector: from } = parts;
  const kem = { protection: "unix", carries: ["ciphertext", "plaintext"] } as const;
  return [
    flow({ from: parts.backend, to, port: "mqtts", protection: "mtls", carries: ["metadata"] }),
    // Whose sessions have to end, and the revocation lists.
    flow({ from: to, to: parts.backend, port: "https", protection: "mtls", carries: ["metadata"] }),
    flow({ from, to, port: collectorsPort({ engine }), protection: "mtls", carries: ["ciphertext", "metadata"] }),
    flow({ from, to: parts.backend, port: "https", protection: "mtls", carries: ["metadata"] }),
    flow({ from, to: parts.custodyBroker, port: KEM_SOCKET, ...kem }),
    flow({ from: parts.custodyBroker, to: parts.custody, port: KEM_SOCKET, ...kem }),
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

/** Who connects to whom to look after it, and what the engine carries by itself: log lines. */
export function supportFlows(core: CoreParts, support: SupportParts): readonly Flow[] {
  const { schema, stepCas, loki, prometheus, shipper, grafanas } = support;
  const { database, backend, collector } = core;
  // The engine hands a container's log lines to the shipper: nobody connects, and nothing is mounted.
  const logs = { to: shipper, port: LOGS_SOCKET, protection: "unix", carries: ["metadata"], byEngine: true } as const;
  const metadata = { protection: "mtls", carries: ["metadata"] } as const;
  return [
    flow({ from: schema, to: database, port: "postgres", protection: "tls", carries: ["metadata"] }),
    flow({ from: shipper, to: loki, port: "https", ...metadata }),
    flow({ from: prometheus, to: loki, port: "https", ...metadata }),
    flow({ from: prometheus, to: backend, port: METRICS_PORT, ...metadata }),
    flow({ from: prometheus, to: collector, port: METRICS_PORT, ...metadata }),
    flow({ from: prometheus, to: core.broker, port: METRICS_PORT, ...metadata }),
    ...core.gateways.map((to) => flow({ from: prometheus, to, port: METRICS_PORT, ...metadata })),
    ...grafanas.flatMap((from) => [
      flow({ from, to: database, port: "postgres", protection: "tls", carries: ["plaintext", "metadata"] }),
      flow({ from, to: loki, port: "https", ...metadata }),
      flow({ from, to: prometheus, port: "https", ...metadata }),
    ]),
    ...[database, core.custody, core.custodyBroker, collector, schema, ...grafanas].map((from) =>
      flow({ from, ...logs }),
    ),
    ...stepCas.flatMap((authority) => [
      // An authority knows its clients by the tokens that they bring: it asks for no certificate.
      flow({ from: backend, to: authority, port: "https", protection: "tls", carries: ["metadata"] }),
      flow({ from: authority, to: backend, port: "https", ...metadata }),
    ]),
    ...[backend, ...stepCas, loki, prometheus].map((from) => flow({ from, ...logs })),
    flow({ from: core.broker, ...logs }),
    ...core.gateways.map((from) => flow({ from, ...logs })),
    ...core.simulators.map((from) => flow({ from, ...logs })),
  ];
}
