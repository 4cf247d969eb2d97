import { describe, expect, it } from "vitest";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { EVERY_ADDRESS } from "../../modules/common.ts";
import { buildModel } from "../../modules/index.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { listenAddresses } from "./listen.ts";
import { type NetworkSpec, needsNetwork, planNetworks, publishNetworkId } from "./networks.ts";
import { dockerPlacement } from "./placement.ts";

const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const vendor: Deployment = {
  ...dev,
  images: { ...dev.images, source: "registry" },
  telemetry: { vendor: "metrics" },
};
const DEPLOYMENTS: readonly (readonly [string, Deployment])[] = [
  ["one gateway", dev],
  ["three gateways", { ...dev, gateways: ["gw-01", "gw-02", "gw-03"] }],
  ["no simulator", { ...dev, simulator: { sensors: 0, ratePerSecond: 1 } }],
  ["images of a registry", { ...dev, images: { ...dev.images, source: "registry" } }],
  ["metrics for the vendor", vendor],
  ["metrics for the vendor, without Grafana", { ...vendor, images: { source: "registry", grafana: "absent" } }],
  ["Grafana absent", { ...dev, images: { ...dev.images, grafana: "absent" } }],
];

/** What a component's own configuration says that a port listens on, whichever program reads it. */
function configured({ command, files }: Component, port: string): readonly string[] {
  const read = (name: string) => files.find(({ path }) => path.endsWith(`/${name}`))?.content ?? "";
  const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, address = ""]) => address);
  const line = command?.join(" ") ?? "";
  const config = JSON.parse(read("config.json") || "{}");
  const ours = port === "metrics" ? config.metrics?.listen : port === "coap" ? config.coap : config.listen;
  return [
    ...(ours?.hosts ?? []),
    ...(port === "mqtts" ? all(read("mosquitto.conf"), /^listener \d+ (\S+)$/gm) : []),
    ...all(line, /listen_addresses=(\S+)/g).flatMap((list) => list.split(",")),
    ...all(line, /--web\.listen-address=(\S+):\d+/g),
    ...all(read("loki.yml"), /^ {2}http_listen_address: (\S+)\n {2}http_listen_port: 3100$/gm),
    ...all(read("grafana.ini"), /^http_addr ?= ?(\S+)$/gm),
    ...all(read("ca.json"), /"address": "(\S+):\d+"/g),
  ];
}

/** Every port that a component can connect to, from whatever network: `from component.port`. */
function reachable(model: Model, networks: readonly NetworkSpec[]): readonly string[] {
  return networks.flatMap(({ members, addresses }) =>
    members.flatMap((from) =>
      model.components
        .filter(({ name }) => name !== from && members.includes(name))
        .flatMap((to) =>
          to.ports.flatMap(({ name }) => {
            const listening = configured(to, name);
            const open = listening.includes(EVERY_ADDRESS) || listening.includes(addresses[to.name] ?? "");
            return open ? [`${from} ${to.name}.${name}`] : [];
          }),
        ),
    ),
  );
}

describe.each(DEPLOYMENTS)("with %s", (_, deployment) => {
  const model = buildModel(deployment, dockerPlacement(deployment));
  const networks = planNetworks(model, deployment);

  it("a component can connect to what the flows say, and to no other port of anybody", () => {
    const allowed = model.flows.filter(needsNetwork).map(({ from, to, port }) => `${from} ${to}.${port}`);
    expect([...new Set(reachable(model, networks))].sort()).toEqual([...new Set(allowed)].sort());
  });

  it("a port listens in the network that publishes it, and no other port of the component does", () => {
    for (const component of model.components) {
      const network = networks.find(({ id }) => id === publishNetworkId(component.name));
      if (network === undefined) continue;
      const there = [network.addresses[component.name], EVERY_ADDRESS];
      const open = component.ports.filter(({ name }) =>
        configured(component, name).some((address) => there.includes(address)),
      );
      expect(open, component.name).toEqual(component.ports.filter(({ publish }) => publish === true));
    }
  });

  it("every port listens somewhere, and on every address only where its component has no other", () => {
    for (const component of model.components) {
      for (const { name } of component.ports) {
        const listening = configured(component, name);
        expect(listening.length, `${component.name}.${name}`).toBeGreaterThan(0);
        if (listening.includes(EVERY_ADDRESS)) expect(component.ports).toHaveLength(1);
      }
    }
  });
});

it("a port that nobody has a flow to listens on the loopback address alone", () => {
  const model = buildModel(dev, dockerPlacement(dev));
  const without: Model = { ...model, flows: model.flows.filter(({ to }) => to !== "prometheus") };
  expect(listenAddresses(without, planNetworks(without, dev), "prometheus", "https")).toEqual(["127.0.0.1"]);
});
