import { describe, expect, it } from "vitest";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import type { Flow } from "../../model/flow.ts";
import { profileLines } from "../../profiles/lines.ts";
import { DEPLOYMENTS, deployedAs, renderedDeployment } from "../../test/support/rendered.ts";
import { verifyModel } from "./model/index.ts";
import { verifyRendered } from "./rendered/index.ts";
import type { CheckResult } from "./result.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with an editor could
type Loose = any;

const deployment = DEPLOYMENTS["two-gateways"];
const { stack, subject } = renderedDeployment(deployment);

/** What breaks, by check, with the codes of its findings. */
const brokenOf = (results: readonly CheckResult[]) =>
  Object.fromEntries(
    results
      .filter(({ outcome }) => outcome === "broken")
      .map(({ id, findings }) => [id, [...new Set(findings.map(({ code }) => code))]]),
  );
const inModel = (change: (model: Model) => Model) =>
  brokenOf(verifyModel({ deployment, model: change(subject.model), lines: profileLines({ profile: "dev" }) }));
const inStack = (weaken: (stack: Loose) => void) => {
  const worse = structuredClone(stack);
  weaken(worse);
  return brokenOf(verifyRendered(worse, { ...subject, deployed: deployedAs(worse, subject.model) }));
};
const changed = (name: string, change: (component: Component) => Partial<Component>) => (model: Model) => ({
  ...model,
  components: model.components.map((part) => (part.name === name ? { ...part, ...change(part) } : part)),
});
const joined = (flow: Flow) => (model: Model) => ({ ...model, flows: [...model.flows, flow] });
const box = ({ resource }: Loose, name: string) => resource.docker_container[name];
const reference = (id: string) => `$${`{docker_network.${id}.id}`}`;

describe("the collector on the network of the edge", () => {
  const flow = { from: "gw-01", to: "collector", port: "metrics", protection: "mtls" } as const;

  it("is no flow that the model may have, whatever it carries", () => {
    expect(inModel(joined({ ...flow, carries: ["metadata"] }))).toEqual({ "model.table": ["BOUNDARY_FLOW_CARRIES"] });
  });

  it("is a way for plaintext to every gateway, by the shortest path", () => {
    const results = inModel(joined({ ...flow, carries: ["plaintext"] }));
    expect(results).toMatchObject({ "model.reachability": ["BOUNDARY_CLASS_REACHES"] });
  });

  it.each(["gw-01_broker_mqtts", "gw-01_publish", "gw-02_backend_https"])("is found in the stack: %s", (id) => {
    const broken = inStack((s) => box(s, "collector").networks_advanced.push({ name: reference(id) }));
    expect(broken).toMatchObject({ "rendered.networks": expect.arrayContaining(["RENDERED_NETWORK_MEMBER"]) });
  });
});

describe("a gateway with the decryption key", () => {
  it("holds what its zone must not, and is outside of the boundary", () => {
    expect(inModel(changed("gw-01", ({ holds }) => ({ holds: [...holds, "decryption-key"] })))).toEqual({
      "model.table": ["BOUNDARY_ZONE_HOLDS"],
      "model.reachability": ["BOUNDARY_CLASS_HELD"],
    });
  });

  it.each(["/srv/trustkern/volumes/custody/keys", "/srv/trustkern/secrets/custody", "/srv/trustkern/run/custody.kem"])(
    "is found in the stack by the mount of %s",
    (source) => {
      const mount = { type: "bind", source, target: "/keys", read_only: true };
      expect(inStack((s) => box(s, "gw-01").mounts.push(mount))).toEqual({ "rendered.mounts": ["RENDERED_MOUNT"] });
    },
  );
});

describe("a published port of the database", () => {
  it("is no port that the model may publish", () => {
    const publish = changed("database", ({ ports }) => ({ ports: ports.map((port) => ({ ...port, publish: true })) }));
    expect(inModel(publish)).toEqual({ "model.table": ["BOUNDARY_PUBLISHED"] });
  });

  it.each(["127.0.0.1", "0.0.0.0"])("is found in the stack on %s", (ip) => {
    const port = { ip, internal: 5432, external: 5432, protocol: "tcp" };
    expect(inStack((s) => (box(s, "database").ports = [port]))).toEqual({ "rendered.ports": ["RENDERED_PORT"] });
  });
});
