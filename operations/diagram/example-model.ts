import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import type { Flow } from "../../model/flow.ts";
import type { DataClass, Protection, Zone } from "../../model/zones.ts";

type PortText = `${string} ${number}${"" | " published"}`;

function part(name: string, zone: Zone, holds: readonly DataClass[], ports: readonly PortText[] = []): Component {
  return {
    name,
    zone,
    holds,
    ports: ports.map((text) => {
      const [port = "", number, publish] = text.split(" ");
      return {
        name: port,
        port: Number(number),
        protocol: port === "coap" ? "udp" : "tcp",
        publish: publish !== undefined,
      };
    }),
    sockets: [
      { name: "logs", path: "/run/logs" },
      { name: "kem", path: "/run/kem" },
    ],
    files: [],
    secrets: [],
    volumes: [],
    scratch: [],
    health: { kind: "exit", startupSeconds: 1 },
    limits: { memoryMiB: 1, pids: 1, cpus: 1 },
    replicas: 1,
    exceptions: [],
    renewal: "restart",
    network: true,
    workers: false,
  };
}

const METRICS = "metrics 9464";

const COMPONENTS: readonly Component[] = [
  part("database", "decryption", ["ciphertext", "plaintext", "metadata", "credential"], ["postgres 5432"]),
  part("schema", "decryption", ["metadata", "credential"]),
  part("custody", "decryption", ["ciphertext", "plaintext", "decryption-key", "metadata", "credential"]),
  part("broker", "ingress", ["ciphertext", "metadata", "credential"], ["mqtts 8883 published"]),
  part("backend", "operations", ["signing-key", "metadata", "credential"], ["https 8443 published", METRICS]),
  part("collector", "decryption", ["ciphertext", "plaintext", "metadata", "credential"], [METRICS]),
  part("gateways-ca", "operations", ["signing-key", "metadata", "credential"], ["https 9000 published"]),
  part("operators-ca", "operations", ["signing-key", "metadata", "credential"], ["https 9001 published"]),
  part("loki", "operations", ["metadata", "credential"], ["https 3100"]),
  part("prometheus", "operations", ["metadata", "credential"], ["https 9090"]),
  part("shipper", "operations", ["metadata", "credential"]),
  part("grafana", "decryption", ["plaintext", "metadata", "credential"], ["https 3000 published"]),
  part("gw-01", "edge", ["ciphertext", "metadata", "credential"], ["coap 5683 published", METRICS]),
  part("gw-02", "edge", ["ciphertext", "metadata", "credential"], ["coap 5684 published", METRICS]),
  part("simulator", "device", ["ciphertext", "plaintext", "signing-key", "metadata", "credential"]),
];

function edge(from: string, to: string, port: string, protection: Protection, ...carries: readonly DataClass[]): Flow {
  return { from, to, port, protection, carries };
}

const FLOWS: readonly Flow[] = [
  edge("backend", "broker", "mqtts", "mtls", "metadata"),
  edge("broker", "backend", "https", "mtls", "metadata"),
  edge("gw-01", "backend", "https", "mtls", "metadata"),
  edge("gw-02", "backend", "https", "mtls", "metadata"),
  edge("backend", "gateways-ca", "https", "mtls", "metadata"),
  edge("backend", "operators-ca", "https", "mtls", "metadata"),
  edge("gateways-ca", "backend", "https", "mtls", "metadata"),
  edge("operators-ca", "backend", "https", "mtls", "metadata"),
  edge("collector", "broker", "mqtts", "mtls", "ciphertext", "metadata"),
  edge("collector", "backend", "https", "mtls", "metadata"),
  edge("collector", "custody", "kem", "unix", "ciphertext", "plaintext"),
  edge("collector", "database", "postgres", "tls", "ciphertext", "plaintext", "metadata"),
  edge("schema", "database", "postgres", "tls", "metadata"),
  edge("grafana", "database", "postgres", "tls", "plaintext", "metadata"),
  edge("grafana", "loki", "https", "mtls", "metadata"),
  edge("grafana", "prometheus", "https", "mtls", "metadata"),
  edge("prometheus", "loki", "https", "mtls", "metadata"),
  edge("prometheus", "backend", "metrics", "mtls", "metadata"),
  edge("prometheus", "collector", "metrics", "mtls", "metadata"),
  edge("prometheus", "gw-01", "metrics", "mtls", "metadata"),
  edge("prometheus", "gw-02", "metrics", "mtls", "metadata"),
  edge("shipper", "loki", "https", "mtls", "metadata"),
  edge("gw-01", "broker", "mqtts", "mtls", "ciphertext", "metadata"),
  edge("gw-02", "broker", "mqtts", "mtls", "ciphertext", "metadata"),
  edge("simulator", "gw-01", "coap", "envelope", "ciphertext", "metadata"),
  edge("simulator", "broker", "mqtts", "mtls", "ciphertext", "metadata"),
  ...COMPONENTS.filter(({ name }) => name !== "shipper").map(({ name }) => ({
    ...edge(name, "shipper", "logs", "unix", "metadata"),
    byEngine: true,
  })),
];

/** Fifteen components in five zones, as large as a diagram of one host gets. For tests. */
export const EXAMPLE_MODEL: Model = { engine: "docker", components: COMPONENTS, flows: FLOWS };
