import { describe, expect, it } from "vitest";
import { PROFILE_NAMES, type ProfileName } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { LEAST_FILES, withValue } from "../../profiles/test-files.ts";
import { layoutOf } from "../host/layout.ts";
import { STATE_FILE, synthJson } from "./cdktf.ts";
import { dockerPlacement } from "./placement.ts";
import { planContainers } from "./plan.ts";

interface Stack {
  readonly resource: { readonly docker_container: Readonly<Record<string, { readonly name: string }>> };
}

/** The gateway of a profile's least file: its component with every configuration file, and the container as it is rendered. */
function gatewayOf(profile: ProfileName, publishAddress = "192.168.2.10") {
  const said = { docker: { publishAddress }, gateways: ["gw-01", "gw-02"], simulator: { sensors: 0 } };
  const file = Object.entries(said).reduce<object>(
    (made, [path, value]) => withValue(made, path, value),
    LEAST_FILES[profile],
  );
  const deployment = parseDeploymentYaml(JSON.stringify(file), "trustkern.yaml");
  const model = buildModel(deployment, dockerPlacement(deployment));
  const images = Object.fromEntries(
    model.components.map(({ image = "" }) => [image, { reference: `registry.example/${image}:1.0.0` }]),
  );
  const target = {
    ...{ deployment, layout: layoutOf("/srv/trustkern", "/tmp"), runAs: { uid: 10_001, gid: 10_001 } },
    images: { source: deployment.images.source, images },
  };
  const stack = synthJson(planContainers(model, target), { backend: deployment.state, localFile: STATE_FILE }) as Stack;
  const component = model.components.find(({ name }) => name === "gw-01");
  const container = Object.values(stack.resource.docker_container).find(({ name }) => name === "gw-01");
  return { component, container };
}

const asText = (value: unknown) => JSON.stringify(value, null, 1);

describe("the gateway", () => {
  const { component, container } = gatewayOf("dev");

  it("is there, with its configuration", () => {
    expect(component?.files.length).toBeGreaterThan(0);
    expect(asText(container)).toContain("registry.example/gateway:1.0.0");
  });

  it.each(PROFILE_NAMES)("is the same, byte for byte, in profile %s", (profile) => {
    const here = gatewayOf(profile);
    expect(asText(here.component)).toBe(asText(component));
    expect(here.component?.files.map(({ content }) => content)).toEqual(component?.files.map(({ content }) => content));
    expect(asText(here.container)).toBe(asText(container));
  });

  it("differs by its address alone where that is another", () => {
    const elsewhere = gatewayOf("customer-tenant", "198.51.100.7");
    expect(asText(elsewhere.container)).not.toBe(asText(container));
    expect(asText(elsewhere.container).replaceAll("198.51.100.7", "192.168.2.10")).toBe(asText(container));
  });
});
