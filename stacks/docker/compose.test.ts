import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { component, type Grant } from "../../model/component.ts";
import { buildModel } from "../../modules/index.ts";
import { parseDeploymentYaml } from "../../profiles/parse.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { layoutOf } from "../host/layout.ts";
import { STATE_FILE, synthJson } from "./cdktf.ts";
import { composeFile, composeYaml } from "./compose.ts";
import { dockerPlacement } from "./placement.ts";
import { type DockerPlan, planContainers } from "./plan.ts";

type Values = Record<string, unknown>;

const layout = layoutOf("/srv/tk", "/tmp");
const runAs = { uid: 10_001, gid: 10_001 };

/** The plan of an example, with pins of every image. */
function planOf(example: string): DockerPlan {
  const text = readFileSync(join("examples", example, "trustkern.yaml"), "utf8");
  const deployment = parseDeploymentYaml(text, "trustkern.yaml");
  const model = buildModel(deployment, dockerPlacement(deployment));
  const pins = model.components.map(({ image = "" }) => [
    image,
    { reference: `registry.example/${image}:1`, digest: `sha256:${"a".repeat(64)}` },
  ]);
  const images = { source: deployment.images.source, images: Object.fromEntries(pins) };
  return planContainers(model, { deployment, layout, runAs, images });
}

const stackOf = (plan: DockerPlan) =>
  JSON.parse(
    JSON.stringify(synthJson(plan, { backend: plan.deployment.state, localFile: STATE_FILE }), withoutNotes),
  ) as {
    readonly resource: Readonly<Record<string, Readonly<Record<string, Values>>>>;
  };

/** Where in its tree cdktf has a resource. */
const withoutNotes = (key: string, value: unknown) => (key === "//" ? undefined : value);

const pairs = (labels: unknown) =>
  Object.fromEntries((labels as { label: string; value: string }[]).map(({ label, value }) => [label, value]));

const orNone = <T extends object>(value: T) => (Object.keys(value).length > 0 ? value : undefined);

const seconds = (duration: unknown) => {
  const [, minutes = "0", rest] = /^(?:(\d+)m)?(\d+)s$/.exec(String(duration)) ?? [];
  return Number(minutes) * 60 + Number(rest);
};

/** What Terraform's attribute says, in the words of Compose. An attribute that is not here has no counterpart, and fails the test. */
const SAME: Readonly<Record<string, (value: never, all: Values) => Values>> = {
  name: (value) => ({ container_name: value }),
  hostname: (value) => ({ hostname: value }),
  entrypoint: (value) => ({ entrypoint: value }),
  env: (value) => ({ environment: value }),
  user: (value) => ({ user: value }),
  read_only: (value) => ({ read_only: value }),
  capabilities: ({ drop, add }: { drop: string[]; add?: string[] }) => ({ cap_drop: drop, cap_add: add }),
  devices: (value: { host_path: string; container_path: string; permissions: string }[]) => ({
    devices: value.map((each) => `${each.host_path}:${each.container_path}:${each.permissions}`),
  }),
  security_opts: (value) => ({ security_opt: value }),
  ipc_mode: (value) => ({ ipc: value }),
  cgroupns_mode: (value) => ({ cgroup: value }),
  memory: (value) => ({ mem_limit: `${value}m` }),
  memory_swap: (value) => ({ memswap_limit: `${value}m` }),
  cpus: (value) => ({ cpus: Number(value) }),
  ulimit: ([core, ...others]: { name: string; soft: number; hard: number }[]) => ({
    ulimits: others.length === 0 ? { [core?.name ?? ""]: { soft: core?.soft, hard: core?.hard } } : others,
  }),
  restart: (value) => ({ restart: value }),
  must_run: () => ({}),
  destroy_grace_seconds: () => ({}),
  stop_timeout: (value) => ({ stop_grace_period: `${value}s` }),
  healthcheck: ({ test, interval, timeout, retries, start_period }: Values & { test: string[] }) => ({
    healthcheck:
      test[0] === "NONE"
        ? { disable: true }
        : {
            ...{ test, retries, interval: `${seconds(interval)}s` },
            ...{ timeout: `${seconds(timeout)}s`, start_period: `${seconds(start_period)}s` },
          },
  }),
  log_driver: (value, { log_opts }) => ({ logging: { driver: value, options: log_opts } }),
  log_opts: () => ({}),
  tmpfs: (value: Values) => ({
    tmpfs: Object.entries(value)
      .map(([path, options]) => `${path}:${options}`)
      .toSorted(),
  }),
  mounts: (value: Values[]) => ({
    volumes: value.map((each) => ({ ...each, bind: { create_host_path: false } })),
  }),
  network_mode: (value: string) => (value === "none" ? { network_mode: value } : {}),
  dns: (value) => ({ dns: value }),
  dns_opts: (value) => ({ dns_opt: value }),
  networks_advanced: (value: { name: string; ipv4_address: string; aliases?: string[] }[]) => ({
    networks: orNone(
      Object.fromEntries(
        value.map(({ name, ipv4_address, aliases }) => [
          /^\$\{docker_network\.(.+)\.id\}$/.exec(name)?.[1],
          { ipv4_address, aliases },
        ]),
      ),
    ),
  }),
  ports: (value: Values[]) => ({
    ports: orNone(
      value.map(({ internal, external, protocol, ip }) => ({
        ...{ target: internal, published: String(external), protocol, host_ip: ip },
      })),
    ),
  }),
  labels: (value) => ({ labels: pairs(value) }),
  image: () => ({}),
};

/** What Terraform cannot say, or says with the image in a resource of its own. */
const BEYOND = ["pids_limit", "image", "pull_policy"] as const;

function fromTerraform(container: Values): Values {
  const said = Object.entries(container).flatMap(([attribute, value]) => {
    const same = SAME[attribute];
    if (same === undefined) throw new Error(`"${attribute}" has no counterpart`);
    return Object.entries(same(value as never, container)).filter(([, each]) => each !== undefined);
  });
  return Object.fromEntries(said);
}

describe.each(["single-host", "eu-hosted", "air-gapped"])("the Compose file of examples/%s", (example) => {
  const plan = planOf(example);
  const stack = stackOf(plan);
  const { services, networks, name } = composeFile(plan);

  it("has the containers of the Terraform JSON, and says the same of each, attribute by attribute", () => {
    const containers = stack.resource.docker_container ?? {};
    expect(Object.keys(services).toSorted()).toEqual(Object.keys(containers).toSorted());
    for (const [service, said] of Object.entries(services)) {
      const known = Object.entries(said).filter(([key]) => !BEYOND.some((beyond) => beyond === key));
      expect(Object.fromEntries(known), service).toEqual(fromTerraform(containers[service] ?? {}));
    }
  });

  it("has its networks, and says the same of each", () => {
    const terraform = Object.entries(stack.resource.docker_network ?? {}).map(([id, network]) => {
      const { options, ipam_config, labels, ...same } = network;
      return [id, { ...same, driver_opts: options, ipam: { config: ipam_config }, labels: pairs(labels) }];
    });
    expect(networks).toEqual(Object.fromEntries(terraform));
  });

  it("limits processes, which the provider cannot", () => {
    const limits = Object.entries(services).map(([service, said]) => [
      service,
      "pids_limit" in said && said.pids_limit,
    ]);
    expect(Object.fromEntries(limits)).toEqual(
      Object.fromEntries(plan.containers.map((each) => [each.name, each.pids])),
    );
  });

  it("is read back from YAML as it is, a doubled $ for each", () => {
    const read = JSON.parse(JSON.stringify(parse(composeYaml(plan))).replaceAll("$$", "$"));
    expect(read).toEqual(JSON.parse(JSON.stringify({ name, services, networks })));
  });
});

describe("an image", () => {
  const pin = { reference: "registry.example/tiny:1", digest: `sha256:${"b".repeat(64)}` };

  function serviceWith(
    source: "registry" | "packages" | "bundle",
    more: Partial<typeof pin> = {},
    grants: Grant[] = [],
  ) {
    const deployment = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
    const tiny = component({
      ...({ name: "tiny", zone: "operations", holds: [], image: "tiny", files: [], network: false } as const),
      environment: { PRICE: ["5$ {x} $", "{HOME} $$"].join("") },
      health: { kind: "exit", startupSeconds: 30 },
      limits: { memoryMiB: 64, pids: 16, cpus: 0.5 },
      exceptions: [{ what: "x", reason: "y", grants }],
    });
    const model = { engine: "docker", components: [tiny], flows: [] } as const;
    const images = { source, images: { tiny: { ...pin, ...more } } };
    return parse(composeYaml(planContainers(model, { deployment, layout, runAs, images }))).services.tiny as Values;
  }

  it("is pulled by digest where a registry has it, and by its tag alone without a lock", () => {
    expect(serviceWith("registry")).toMatchObject({ image: `registry.example/tiny@${pin.digest}` });
    expect(serviceWith("registry")).not.toHaveProperty("pull_policy");
    expect(serviceWith("registry", { digest: undefined as never })).toMatchObject({ image: pin.reference });
  });

  it.each(["packages", "bundle"] as const)("is this machine's own with source %s, and never pulled", (source) => {
    expect(serviceWith(source)).toMatchObject({ image: pin.digest, pull_policy: "never" });
  });

  it("has nothing of whoever starts it put in place of a $", () => {
    expect(serviceWith("packages").environment).toEqual(["PRICE=5$$ {x} $${HOME} $$$$"]);
  });

  it("has what an exception grants, and without one neither a capability nor a device", () => {
    const service = serviceWith("packages", {}, ["capability:NET_ADMIN", "device:/dev/tpmrm0", "user:root"]);
    expect(service).toMatchObject({ cap_add: ["NET_ADMIN"], devices: ["/dev/tpmrm0:/dev/tpmrm0:rw"], user: "0:0" });
    const plain = serviceWith("packages");
    expect(plain).not.toHaveProperty("cap_add");
    expect(plain).not.toHaveProperty("devices");
    expect(plain).toMatchObject({ user: "10001:10001", network_mode: "none", restart: "no" });
  });
});
