import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { checkBoundary, type Model } from "../model/boundary.ts";
import type { Component } from "../model/component.ts";
import type { Deployment } from "../model/deployment.ts";
import { renderMermaid } from "../model/diagram.ts";
import type { Placement } from "../model/placement.ts";
import { PROFILES } from "../profiles/index.ts";
import { defaultDeployment } from "../profiles/resolve.ts";
import { parseIdentity } from "../protocol/topics.ts";
import { backendConfig } from "../services/backend/config.ts";
import { brokerServiceConfig } from "../services/broker/config.ts";
import { guardConfig } from "../services/broker-guard/config.ts";
import { collectorConfig } from "../services/collector/config.ts";
import { custodyConfig } from "../services/custody/config.ts";
import { custodyBrokerConfig } from "../services/custody-broker/config.ts";
import { databaseConfig } from "../services/database/config.ts";
import { gatewayConfig } from "../services/gateway/config.ts";
import { simulatorConfig } from "../services/simulator/config.ts";
import { buildModel } from "./index.ts";
import { referencePlacement } from "./reference-placement.ts";

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  backend: backendConfig,
  broker: brokerServiceConfig,
  "broker-guard": guardConfig,
  collector: collectorConfig,
  custody: custodyConfig,
  "custody-broker": custodyBrokerConfig,
  database: databaseConfig,
  gateway: gatewayConfig,
  simulator: simulatorConfig,
};

const deployment: Deployment = { ...defaultDeployment(), gateways: ["gw-01", "gw-02"], fixture: true };
const placement: Placement = {
  endpoint: (component, port) => ({
    host: "127.0.0.1",
    port: 1024 + (component.length * 31 + port.length),
    servername: `${component}.demo.trustkern.internal`,
  }),
  secretFile: (component, secret) => `/s/${component}/${secret}`,
  volumeDir: (component, volume) => `/v/${component}/${volume}`,
  configFile: (component, file) => `/c/${component}/${file}`,
  socket: (component, socket) => `/r/${component}.${socket}`,
  listenAddresses: () => ["127.0.0.1"],
};
const model = buildModel(deployment, placement);
const inContainers = buildModel({ ...deployment, engine: "docker", fixture: false }, placement);
const named = (name: string): Component => model.components.find((component) => component.name === name)!;

it("keeps the boundary", () => {
  expect(checkBoundary(model)).toEqual([]);
});

it("runs every program of ours that a deployment has", () => {
  // The probe runs in every container of ours, and the prober beside one while it is verified: neither is a component.
  const programs = readdirSync("services").filter((name) => !["runtime", "probe", "prober"].includes(name));
  const run = new Set([...model.components, ...inContainers.components].flatMap(({ service }) => service ?? []));
  expect([...run].sort()).toEqual(programs.sort());
});

it("gives a decryption key to custody alone, and no network to custody", () => {
  expect(model.components.filter(({ holds }) => holds.includes("decryption-key")).map(({ name }) => name)).toEqual([
    "custody",
  ]);
  expect(named("custody").network).toBe(false);
  expect(named("custody").ports).toEqual([]);
});

it("lets the custody broker alone ask custody, the collector alone ask the broker, and nobody manage keys", () => {
  const asking = model.flows.filter(({ to }) => to.startsWith("custody"));
  expect(asking.map(({ from, to, port }) => [from, to, port])).toEqual([
    ["collector", "custody-broker", "kem"],
    ["custody-broker", "custody", "kem"],
  ]);
  expect(named("custody-broker").holds).not.toContain("decryption-key");
  expect(named("custody-broker")).toMatchObject({ network: false, secrets: [], volumes: [] });
});

it("opens keys by itself for profile dev alone", () => {
  const unsealOf = (profile: Deployment["profile"]) => {
    const { components } = buildModel({ ...deployment, profile }, placement);
    return JSON.parse(components.find(({ name }) => name === "custody")?.files[0]?.content ?? "").unseal;
  };
  expect(unsealOf("dev")).toBe("at-start");
  for (const profile of ["eu-hosted", "customer-tenant", "air-gapped"] as const)
    expect(unsealOf(profile)).toBe("on-order");
});

it("lets nothing from device or edge reach the decryption zone", () => {
  const zoneOf = (name: string) => named(name).zone;
  const reaching = model.flows.filter(({ from, to }) => zoneOf(to) === "decryption" && zoneOf(from) !== "decryption");
  expect(reaching).toEqual([]);
});

it("has no simulator where there are no simulated sensors", () => {
  const real = buildModel({ ...deployment, simulator: { sensors: 0, ratePerSecond: 1 } }, placement);
  expect(real.components.map(({ service }) => service)).not.toContain("simulator");
  expect(real.flows.map(({ from }) => from)).not.toContain("simulator");
});

it("says loopback on one machine alone", () => {
  const protections = (engine: Deployment["engine"]) =>
    buildModel({ ...deployment, engine }, placement).flows.map(({ protection }) => protection);
  expect(protections("embedded")).toContain("loopback");
  expect(protections("docker")).not.toContain("loopback");
});

it("names fixture.json for custody only with --fixture", () => {
  const names = (built: Model) => built.components.flatMap(({ secrets }) => secrets.map(({ name }) => name));
  expect(names(model)).toContain("fixture.json");
  expect(names(buildModel({ ...deployment, fixture: false }, placement))).not.toContain("fixture.json");
});

it("gives equal text for equal deployments", () => {
  expect(buildModel(deployment, placement)).toEqual(model);
});

it.each(Object.keys(PROFILES))("can be placed without an engine for profile %s, and drawn", (name) => {
  const profile = name as keyof typeof PROFILES;
  const engine = PROFILES[profile].defaults.engine ?? "embedded";
  const placed = buildModel({ ...deployment, profile, engine }, referencePlacement(deployment));
  const drawn = renderMermaid(placed);
  expect(drawn).toContain('subgraph decryption["decryption (the boundary)"]');
  expect(drawn.match(/-->|-\.->/g)).toHaveLength(placed.flows.length);
});

describe("in containers", () => {
  const { components, flows } = inContainers;

  it("keeps the boundary, and lets nothing from device or edge reach the decryption zone", () => {
    expect(checkBoundary(inContainers)).toEqual([]);
    const zoneOf = (name: string) => components.find((component) => component.name === name)?.zone;
    const reaching = flows.filter(({ to }) => zoneOf(to) === "decryption");
    // Prometheus reads the collector's counters; nothing else comes in from outside.
    const outside = reaching.filter(({ from }) => zoneOf(from) !== "decryption");
    expect(outside.map(({ from, to, carries }) => [from, to, ...carries])).toEqual([
      ["prometheus", "collector", "metadata"],
    ]);
  });

  it("protects every flow over a network by TLS, but for CoAP, which carries envelopes", () => {
    const protections = flows.filter(({ port }) => port !== "coap").map(({ protection }) => protection);
    expect(new Set(protections)).toEqual(new Set(["mtls", "tls", "unix"]));
    expect(flows.find(({ port }) => port === "coap")?.protection).toBe("envelope");
  });

  it("hands every component's log lines to the shipper by the engine, and the shipper's own to nobody", () => {
    const logging = flows.filter(({ byEngine }) => byEngine === true);
    expect(new Set(logging.map(({ to }) => to))).toEqual(new Set(["shipper"]));
    expect(logging.map(({ from }) => from).sort()).toEqual(
      components
        .map(({ name }) => name)
        .filter((name) => name !== "shipper")
        .sort(),
    );
  });

  it("has Grafana, unless it is left out on purpose", () => {
    const without = buildModel(
      { ...deployment, engine: "docker", images: { source: "packages", grafana: "absent" } },
      placement,
    );
    expect(components.map(({ name }) => name)).toContain("grafana");
    expect(without.components.map(({ name }) => name)).not.toContain("grafana");
  });

  it("gives every component an image and a command, and says why where it grants more than the default", () => {
    for (const { name, image, command, exceptions } of components) {
      expect(image, name).toMatch(/^[a-z-]+$/);
      expect(command?.[0], name).toMatch(/^\//);
      for (const { grants = [], reason } of exceptions) {
        expect(reason.length, name).toBeGreaterThan(20);
        expect(
          grants.every((grant) => grant === "health:none"),
          name,
        ).toBe(true);
      }
    }
  });

  it("puts no secret into files, commands or environments", () => {
    const texts = components.flatMap(({ files, command = [], environment = {} }) => [
      ...files.map(({ content }) => content),
      ...command,
      ...Object.values(environment),
    ]);
    for (const text of texts) expect(text).not.toMatch(/PRIVATE KEY|[0-9a-f]{32}/);
  });
});

describe("in a cluster", () => {
  const inCluster: Deployment = { ...deployment, engine: "kubernetes", fixture: false };
  const built = buildModel(inCluster, placement);

  it("gives every program of ours but the collector a configuration that it accepts", () => {
    // The collector's program gets its way to custody over the network in its own change.
    const ours = built.components.filter(({ service, name }) => service !== undefined && name !== "collector");
    for (const { name, service = "", files } of ours) {
      const schema = SCHEMAS[service];
      if (schema === undefined) continue;
      expect(schema.safeParse(JSON.parse(files[0]?.content ?? "")).error?.issues ?? [], name).toEqual([]);
    }
  });

  it("lets collectors alone ask custody's broker, over mutual TLS, and the broker alone ask custody, on a socket", () => {
    const asking = built.flows.filter(({ to }) => to.startsWith("custody"));
    expect(asking.map(({ from, to, port, protection }) => [from, to, port, protection])).toEqual([
      ["collector", "custody-broker", "kem", "mtls"],
      ["custody-broker", "custody", "kem", "unix"],
    ]);
  });

  it("lets brokers of several custodies ask each other, on a port of their own, with nothing but what is wrapped", () => {
    const kubernetes = { ...inCluster.kubernetes, custody: { replicas: 2 } };
    const several = buildModel({ ...inCluster, kubernetes }, placement);
    const among = several.flows.filter(({ from, to }) => from === to);
    expect(among).toEqual([
      {
        ...{ from: "custody-broker", to: "custody-broker", port: "replicas", protection: "mtls" },
        carries: ["ciphertext", "metadata"],
      },
    ]);
    for (const { name, service = "", files } of several.components.filter(({ name }) => name.startsWith("custody")))
      expect(SCHEMAS[service]?.safeParse(JSON.parse(files[0]?.content ?? "")).error?.issues ?? [], name).toEqual([]);
    const broker = several.components.find(({ name }) => name === "custody-broker");
    expect(broker?.holds).not.toContain("decryption-key");
    expect(broker?.ports.map(({ name }) => name)).toEqual(["kem", "replicas"]);
  });

  it("keeps the boundary where the database is somebody else's, and says so of it", () => {
    const peers = { kind: "addresses", networks: ["10.0.0.0/24"] } as const;
    const server = {
      host: "db.internal",
      port: 5432,
      servername: "db.internal",
      peers,
      caFile: undefined,
      region: undefined,
    };
    const kubernetes = { ...inCluster.kubernetes, external: { database: server } };
    const elsewhere = buildModel({ ...inCluster, kubernetes }, placement);
    expect(checkBoundary(elsewhere)).toEqual([]);
    expect(elsewhere.components.find(({ name }) => name === "database")).toMatchObject({
      external: server,
      zone: "decryption",
    });
    expect(elsewhere.flows).toEqual(built.flows);
    // On another engine the deployment runs it itself, whatever the section says.
    const docker = buildModel({ ...inCluster, kubernetes, engine: "docker" }, placement);
    expect(docker.components.find(({ name }) => name === "database")).not.toHaveProperty("external");
  });
});

describe.each(model.components.map((component) => [component.name, component] as const))("%s", (_, component) => {
  const [file] = component.files;
  const config: unknown = JSON.parse(file?.content ?? "");

  it("has a configuration that its program accepts", () => {
    const result = SCHEMAS[component.service ?? ""]?.safeParse(config);
    expect(result?.error?.issues ?? []).toEqual([]);
    expect(result?.success).toBe(true);
  });

  it("has a configuration of mode 0600 with paths of secrets and no secret", () => {
    expect(file?.mode).toBe(0o600);
    expect(file?.content).not.toMatch(/PRIVATE KEY|[0-9a-f]{32}/);
  });

  it("names every path of its configuration, and no secret that it does not use", () => {
    const said = textsOf(config).filter((text) => text.startsWith("/"));
    const reached = model.flows
      .filter(({ from, protection }) => from === component.name && protection === "unix")
      .flatMap(({ to, port }) => named(to).sockets.filter(({ name }) => name === port));
    const known = [...component.volumes, ...component.sockets, ...reached].map(({ path }) => path);
    const secrets = component.secrets.map((secret) => secret.file);
    expect(said.filter((path) => !known.includes(path) && !secrets.includes(path))).toEqual([]);
    expect(secrets.filter((path) => !said.includes(path))).toEqual([]);
    expect(secrets.every((path) => path.startsWith(`/s/${component.name}/`))).toBe(true);
  });

  it("answers for its health on a socket that it has", () => {
    const { health, sockets } = component;
    if (health.kind === "socket") expect(sockets.map(({ name }) => name)).toContain(health.socket);
    else expect(component.service).toBeUndefined();
  });

  it("has an identity that the wire format knows, or speaks no mutual TLS", () => {
    const speaks = component.secrets.some(({ name }) => name === "tls.key");
    expect(component.identity !== undefined).toBe(speaks);
    if (component.identity) expect(parseIdentity(component.identity)).not.toBeNull();
  });
});

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
