import { Provider } from "@pulumi/docker";
import { log } from "@pulumi/pulumi";
import { describe, expect, it, vi } from "vitest";
import {
  EXAMPLES,
  exampleArgs,
  imageIdOf,
  known,
  planDocker,
  type Registration,
  underMocks,
} from "../../test/support/pulumi.ts";
import { composeFile } from "../docker/compose.ts";
import type { TrustKernDeploymentArgs } from "./args.ts";
import { TrustKernDeployment } from "./deployment.ts";

type Values = Record<string, unknown>;

const register = (args: TrustKernDeploymentArgs, options = {}) =>
  underMocks(() => new TrustKernDeployment("acme", args, options));
const ofType = (registrations: readonly Registration[], type: string) =>
  registrations.filter((each) => each.type === `docker:index/${type}`);
const pairs = (labels: unknown) =>
  Object.fromEntries((labels as { label: string; value: string }[]).map(({ label, value }) => [label, value]));
const orNone = <T extends object>(value: T) => (Object.keys(value).length > 0 ? value : undefined);
const seconds = (duration: unknown) => {
  const [, hours = "0", minutes = "0", rest] = /^(?:(\d+)h)?(?:(\d+)m)?(\d+)s$/.exec(String(duration)) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
};

/** What an input says, in the words of Compose. An input that is not here has no counterpart, and fails the test. */
const SAME: Readonly<Record<string, (value: never, all: Values) => Values>> = {
  name: (value) => ({ container_name: value }),
  hostname: (value) => ({ hostname: value }),
  entrypoints: (value) => ({ entrypoint: value }),
  envs: (value) => ({ environment: value }),
  user: (value) => ({ user: value }),
  readOnly: (value) => ({ read_only: value }),
  capabilities: ({ drops, adds }: { drops: string[]; adds?: string[] }) => ({ cap_drop: drops, cap_add: adds }),
  devices: (value: Record<"hostPath" | "containerPath" | "permissions", string>[]) => ({
    devices: value.map((each) => `${each.hostPath}:${each.containerPath}:${each.permissions}`),
  }),
  securityOpts: (value) => ({ security_opt: value }),
  ipcMode: (value) => ({ ipc: value }),
  cgroupnsMode: (value) => ({ cgroup: value }),
  memory: (value) => ({ mem_limit: `${value}m` }),
  memorySwap: (value) => ({ memswap_limit: `${value}m` }),
  cpus: (value) => ({ cpus: Number(value) }),
  ulimits: (value: { name: string; soft: number; hard: number }[]) => ({
    ulimits: Object.fromEntries(value.map(({ name, ...limit }) => [name, limit])),
  }),
  restart: (value) => ({ restart: value }),
  mustRun: (value, { restart }) => (value === (restart !== "no") ? {} : { restart: "contradicts mustRun" }),
  destroyGraceSeconds: (value, { stopTimeout }) => (value === stopTimeout ? {} : { stop_grace_period: "another" }),
  stopTimeout: (value) => ({ stop_grace_period: `${value}s` }),
  healthcheck: ({ tests, interval, timeout, retries, startPeriod }: Values & { tests: string[] }) => ({
    healthcheck:
      tests[0] === "NONE"
        ? { disable: true }
        : {
            ...{ test: tests, retries, interval: `${seconds(interval)}s` },
            ...{ timeout: `${seconds(timeout)}s`, start_period: `${seconds(startPeriod)}s` },
          },
  }),
  logDriver: (value, { logOpts }) => ({ logging: { driver: value, options: logOpts } }),
  logOpts: () => ({}),
  tmpfs: (value: Values) => ({
    tmpfs: Object.entries(value)
      .map(([path, options]) => `${path}:${options}`)
      .toSorted(),
  }),
  mounts: (value: (Values & { readOnly: boolean })[]) => ({
    volumes: value.map(({ readOnly, ...each }) => ({
      ...{ ...each, read_only: readOnly, bind: { create_host_path: false } },
    })),
  }),
  networkMode: (value: string) => (value === "none" ? { network_mode: value } : {}),
  dns: (value) => ({ dns: value }),
  dnsOpts: (value) => ({ dns_opt: value }),
  networksAdvanced: (value: { name: string; ipv4Address: string; aliases?: string[] }[]) => ({
    networks: orNone(
      Object.fromEntries(
        value.map(({ name, ipv4Address, aliases }) => [
          name.replace(/^id-of-acme\./, ""),
          { ipv4_address: ipv4Address, aliases },
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
};

/** What of Compose the provider has no input for, or says with a resource of its own. */
const BEYOND = ["pids_limit", "image", "pull_policy"] as const;

function inCompose(inputs: Values): Values {
  const said = Object.entries(inputs)
    .filter(([input]) => input !== "image")
    .flatMap(([input, value]) => {
      const same = SAME[input];
      if (same === undefined) throw new Error(`"${input}" has no counterpart`);
      return Object.entries(same(value as never, inputs)).filter(([, each]) => each !== undefined);
    });
  return Object.fromEntries(said);
}

describe.each(EXAMPLES)("examples/%s", (example) => {
  const args = exampleArgs(example);
  const compose = composeFile(planDocker(args).plan);

  it("registers the containers of the Compose file, and says the same of each, field by field", async () => {
    const { registrations } = await register(args);
    const containers = ofType(registrations, "container:Container");
    expect(containers.map(({ inputs }) => inputs.name).toSorted()).toEqual(Object.keys(compose.services).toSorted());
    for (const { name, inputs } of containers) {
      const service: Values = { ...compose.services[String(inputs.name)] };
      const comparable = Object.entries(service).filter(([key]) => !BEYOND.some((beyond) => beyond === key));
      expect(name).toBe(`acme.${inputs.name}`);
      expect(inCompose(inputs), name).toEqual(Object.fromEntries(comparable));
    }
  });

  it("registers its networks, and says the same of each", async () => {
    const { registrations } = await register(args);
    const networks = ofType(registrations, "network:Network").map(({ name, inputs }) => {
      const { options, ipamConfigs, labels, ...same } = inputs;
      const said = { ...same, driver_opts: options, ipam: { config: ipamConfigs }, labels: pairs(labels) };
      return [name.replace(/^acme\./, ""), said];
    });
    expect(Object.fromEntries(networks)).toEqual(compose.networks);
  });

  it("runs the image that the Compose file runs: by the ID of what is pulled by digest, or its own", async () => {
    const { registrations } = await register(args);
    const pulled = ofType(registrations, "remoteImage:RemoteImage").map(({ inputs }) => inputs);
    for (const inputs of pulled)
      expect(inputs).toEqual({ name: expect.stringContaining("@sha256:"), keepLocally: true });
    const references = new Map(pulled.map(({ name }) => [imageIdOf(name), name]));
    for (const { inputs } of ofType(registrations, "container:Container")) {
      const { image } = compose.services[String(inputs.name)] as Values;
      expect(references.get(String(inputs.image)) ?? inputs.image).toBe(image);
    }
    expect(pulled.length > 0).toBe(example === "eu-hosted");
  });

  it("registers nothing else than itself", async () => {
    const { registrations } = await register(args);
    const types = new Set(registrations.map(({ type }) => type));
    types.delete("docker:index/remoteImage:RemoteImage");
    expect([...types].toSorted()).toEqual([
      "docker:index/container:Container",
      "docker:index/network:Network",
      "trustkern:index:TrustKernDeployment",
    ]);
  });
});

describe("a deployment", () => {
  const args = exampleArgs("single-host");

  it("has its resources as children under names that do not change", async () => {
    const { result } = await register(args);
    expect(await known(result.urn)).toBe("urn:pulumi:stack::project::trustkern:index:TrustKernDeployment::acme");
    expect(await known(result.containers)).toMatchObject({ collector: "id-of-acme.collector" });
    expect(await known(result.networks)).toMatchObject({ collector_broker_mqtts: "id-of-acme.collector_broker_mqtts" });
  });

  it("gives every resource the provider that the component was given", async () => {
    const { registrations } = await underMocks(() => {
      const docker = new Provider("theirs", { host: "unix:///var/run/docker.sock" });
      return new TrustKernDeployment("acme", args, { providers: { docker } });
    });
    const children = registrations.filter(({ type }) => type.startsWith("docker:"));
    expect(children.length).toBeGreaterThan(20);
    expect(children.filter(({ provider }) => !provider?.includes("::theirs::"))).toEqual([]);
  });

  it("says where its published ports are, where its secrets are, and what the provider cannot limit", async () => {
    const { result } = await register(args);
    const broker = {
      ...{ address: "127.0.0.1", port: 8883, protocol: "tcp" },
      serverName: "broker.demo.trustkern.internal",
    };
    const { plan, context } = planDocker(args);
    expect(await known(result.endpoints)).toMatchObject({ "broker.mqtts": broker });
    expect(await known(result.secrets)).toContainEqual({
      ...{ component: "collector", name: "tls.key", file: "/srv/tk/secrets/collector/tls.key" },
    });
    expect(await known(result.secrets)).toHaveLength(context.model.components.flatMap(({ secrets }) => secrets).length);
    expect(await known(result.processLimits)).toEqual(
      plan.containers.map(({ name, pids }) => ({ container: name, pids })),
    );
  });

  it("warns of what the profile accepts and nobody should overlook", async () => {
    const warn = vi.spyOn(log, "warn").mockResolvedValue();
    const grant = { to: "partner", from: "2020-01-01T00:00:00Z", until: "2020-01-02T00:00:00Z" } as const;
    const support = { access: "granted", ...grant, reason: "a broken sensor" } as const;
    await register({ ...args, deployment: { ...args.deployment, support } });
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("deployment.support.until"), expect.anything());
    warn.mockClear();
    await register(args);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it.each(["transformations", "transforms"])(
    "refuses the option %s, which would run after the check",
    async (option) => {
      const seen: Registration[] = [];
      const program = () => new TrustKernDeployment("acme", args, { [option]: [() => undefined] });
      await expect(underMocks(program, seen)).rejects.toMatchObject({
        ...{ code: "PULUMI_OPTION", exit: 5, path: `options.${option}` },
      });
      expect(seen).toEqual([]);
    },
  );
});
