import { output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../../model/findings.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { EXAMPLES, exampleArgs, planDocker, type Registration, underMocks } from "../../test/support/pulumi.ts";
import { STATE_FILE, synthJson } from "../docker/cdktf.ts";
import type { TrustKernDeploymentArgs } from "./args.ts";
import { TrustKernDeployment } from "./deployment.ts";
import type { PlannedDocker } from "./plan-deployment.ts";
import type { PlannedObject } from "./planned-object.ts";
import { terraformResources } from "./provider-words.ts";
import type { Transform } from "./transform.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into inputs as a program without types could
type Loose = any;

const args = exampleArgs("single-host");
const { objects: plain } = planDocker(args);
const hosted = exampleArgs("eu-hosted");

const plan = (transform: unknown, to: TrustKernDeploymentArgs = args): PlannedDocker =>
  planDocker({ ...to, transform: transform as Transform });

function refused(transform: unknown, to?: TrustKernDeploymentArgs) {
  try {
    plan(transform, to);
  } catch (thrown) {
    const findings = findingsOf(thrown).map(({ code, path }) => ({ code, path }));
    return { code: (thrown as { code: string }).code, findings };
  }
  return { code: "none", findings: [] };
}

/** A transform that changes a copy of one object. */
const editing =
  (id: string, edit: (inputs: Loose) => unknown): Transform =>
  (object) => {
    if (`${object.kind}.${object.name}` !== id) return undefined;
    const copy = JSON.parse(JSON.stringify(object));
    edit(copy.inputs);
    return copy;
  };

it.each(EXAMPLES)(
  "knows the objects of examples/%s as the resources of its Terraform JSON, attribute by attribute",
  (example) => {
    const { plan: dockerPlan, objects } = planDocker(exampleArgs(example));
    const state = { backend: dockerPlan.deployment.state, localFile: STATE_FILE };
    const { resource } = synthJson(dockerPlan, state) as { readonly resource: object };
    const withoutNotes = JSON.parse(JSON.stringify(resource, (key, value) => (key === "//" ? undefined : value)));
    expect(JSON.parse(stableJson(terraformResources(objects)))).toEqual(JSON.parse(stableJson(withoutNotes)));
  },
);

describe("a transform that takes nothing from the boundary", () => {
  it("may leave an object as it is, by giving back nothing or the object itself", () => {
    expect(plan(() => undefined).objects).toEqual(plain);
    expect(plan((object: PlannedObject) => object).objects).toEqual(plain);
  });

  it("is handed every object once, and nothing that it could change behind its result", () => {
    const seen: string[] = [];
    plan((object: Loose) => {
      seen.push(`${object.kind}.${object.name}`);
      expect(() => Object.assign(object, { name: "x" })).toThrow(TypeError);
      expect(() => Object.assign(object.inputs, { privileged: true })).toThrow(TypeError);
      expect(() => object.inputs.labels.push({})).toThrow(TypeError);
    });
    expect(seen).toEqual(plain.map(({ kind, name }) => `${kind}.${name}`));
  });

  it("may give a container less memory, fewer processors and another time to end, which is what is registered", async () => {
    const less = editing("container.collector", (inputs) =>
      Object.assign(inputs, { memory: 64, memorySwap: 64, cpus: "0.5", stopTimeout: 30 }),
    );
    const { registrations } = await underMocks(() => new TrustKernDeployment("acme", { ...args, transform: less }));
    expect(registrations.find(({ name }) => name === "acme.collector")?.inputs).toMatchObject({
      ...{ memory: 64, memorySwap: 64, cpus: "0.5", stopTimeout: 30 },
    });
  });
});

const WEAKENINGS: readonly (readonly [string, string, string, (inputs: Loose) => unknown])[] = [
  ["all rights of the host", "RENDERED_PRIVILEGED", "container.collector", (i) => (i.privileged = true)],
  ["a GPU", "RENDERED_PRIVILEGED", "container.collector", (i) => (i.gpus = "all")],
  ["a device", "RENDERED_PRIVILEGED", "container.collector", (i) => (i.devices = [{ hostPath: "/dev/sda" }])],
  ["a capability", "RENDERED_CAPABILITY", "container.collector", (i) => (i.capabilities.adds = ["NET_ADMIN"])],
  ["what is dropped", "RENDERED_CAPABILITY", "container.collector", (i) => (i.capabilities.drops = [])],
  [
    "dropped in Terraform's word",
    "RENDERED_CAPABILITY",
    "container.collector",
    (i) => (i.capabilities = { drop: ["ALL"] }),
  ],
  ["the host's network", "RENDERED_NAMESPACE", "container.collector", (i) => (i.networkMode = "host")],
  ["the host's processes", "RENDERED_NAMESPACE", "container.collector", (i) => (i.pidMode = "host")],
  [
    "custody's secrets",
    "RENDERED_MOUNT",
    "container.broker",
    (i) => (i.mounts.find((m: Loose) => m.target === "/run/secrets").source = "/srv/tk/secrets/custody"),
  ],
  [
    "Docker's socket",
    "RENDERED_MOUNT",
    "container.broker",
    (i) => i.mounts.push({ type: "bind", source: "/var/run/docker.sock", target: "/x", readOnly: true }),
  ],
  [
    "secrets to write",
    "RENDERED_MOUNT_WRITABLE",
    "container.broker",
    (i) => (i.mounts.find((m: Loose) => m.target === "/run/secrets").readOnly = false),
  ],
  [
    "options of a mount",
    "RENDERED_ATTRIBUTE",
    "container.broker",
    (i) => (i.mounts[0].bindOptions = { propagation: "shared" }),
  ],
  ["a volume", "RENDERED_MOUNT", "container.broker", (i) => (i.volumes = [{ fromContainer: "custody" }])],
  ["a file of its own", "RENDERED_SECRET", "container.broker", (i) => (i.uploads = [{ file: "/x", content: "y" }])],
  ["root", "RENDERED_USER", "container.custody", (i) => (i.user = "0:0")],
  ["a further group", "RENDERED_USER", "container.custody", (i) => (i.groupAdds = ["docker"])],
  ["a root file system to write", "RENDERED_ROOTFS", "container.custody", (i) => (i.readOnly = false)],
  ["new privileges", "RENDERED_PRIVILEGES_NEW", "container.custody", (i) => delete i.securityOpts],
  ["core dumps", "RENDERED_LIMIT", "container.custody", (i) => delete i.ulimits],
  ["swap", "RENDERED_LIMIT", "container.custody", (i) => (i.memorySwap = -1)],
  ["more memory", "RENDERED_LIMIT", "container.custody", (i) => (i.memorySwap = i.memory *= 2)],
  ["no health check", "RENDERED_HEALTH", "container.custody", (i) => delete i.healthcheck],
  ["another program", "RENDERED_COMMAND", "container.custody", (i) => (i.entrypoints = ["/bin/sh"])],
  ["arguments", "RENDERED_COMMAND", "container.custody", (i) => (i.command = ["--insecure"])],
  ["another image", "RENDERED_IMAGE", "container.custody", (i) => (i.image = "evil.example/x:1")],
  ["a variable", "RENDERED_ENVIRONMENT", "container.custody", (i) => (i.envs = ["NODE_OPTIONS=--inspect"])],
  [
    "a variable behind Terraform's word",
    "RENDERED_ATTRIBUTE",
    "container.custody",
    (i) => Object.assign(i, { envs: ["A=b"], env: [] }),
  ],
  [
    "a published port",
    "RENDERED_PORT",
    "container.database",
    (i) => i.ports.push({ ip: "0.0.0.0", internal: 5432, external: 5432, protocol: "tcp" }),
  ],
  [
    "another container's network",
    "RENDERED_NETWORK_MEMBER",
    "container.simulator",
    (i) =>
      i.networksAdvanced.push({
        name: `${"$"}{docker_network.collector_database_postgres.id}`,
        ipv4Address: "10.213.0.9",
      }),
  ],
  [
    "a network by name",
    "RENDERED_NETWORK_MEMBER",
    "container.simulator",
    (i) => i.networksAdvanced.push({ name: "bridge" }),
  ],
  ["another container's name", "RENDERED_NAME", "container.simulator", (i) => (i.hostname = "broker")],
  [
    "a host of its own",
    "RENDERED_NAME",
    "container.simulator",
    (i) => (i.hosts = [{ host: "broker", ip: "203.0.113.1" }]),
  ],
  ["no labels", "RENDERED_CONTAINER", "container.simulator", (i) => delete i.labels],
  ["a log to elsewhere", "RENDERED_LOG", "container.collector", (i) => (i.logDriver = "syslog")],
  ["a way out", "RENDERED_NETWORK", "network.collector_broker_mqtts", (i) => (i.internal = false)],
  [
    "a network that anybody joins",
    "RENDERED_ATTRIBUTE",
    "network.collector_broker_mqtts",
    (i) => (i.attachable = true),
  ],
  [
    "addresses of the host",
    "RENDERED_NETWORK",
    "network.collector_broker_mqtts",
    (i) => (i.ipamConfigs = [{ subnet: "192.168.0.0/24", gateway: "192.168.0.1" }]),
  ],
  [
    "a secret in a label",
    "RENDERED_SECRET",
    "network.collector_broker_mqtts",
    (i) => i.labels.push({ label: "k", value: `AGE-${"SECRET"}-KEY-1` }),
  ],
];

describe("a transform is refused that gives", () => {
  it.each(WEAKENINGS)("%s", (_, code, id, edit) => {
    const result = refused(editing(id, edit));
    expect(result.code).toBe("PULUMI_TRANSFORM_REFUSED");
    expect(result.findings.map((each) => each.code)).toContain(code);
    expect(
      result.findings.filter(({ path }) => !path.startsWith("container.") && !path.startsWith("network.")),
    ).toEqual([]);
  });

  it("another image to pull", () => {
    const result = refused(
      editing("image.collector", (inputs) => (inputs.name = "evil.example/collector:1")),
      hosted,
    );
    expect(result).toMatchObject({ code: "PULUMI_TRANSFORM_REFUSED", findings: [{ path: "image.collector.name" }] });
    expect(
      refused(
        editing("image.collector", (inputs) => (inputs.build = { context: "." })),
        hosted,
      ).findings,
    ).toEqual([{ code: "RENDERED_ATTRIBUTE", path: "image.collector.build" }]);
  });

  it("several of them, all in one report, and then registers nothing", async () => {
    const worse: Transform = (object) => {
      if (object.kind !== "container") return undefined;
      return { ...object, inputs: { ...object.inputs, privileged: true, user: "0:0" } };
    };
    const containers = plain.filter(({ kind }) => kind === "container").length;
    const { findings } = refused(worse);
    expect(findings.filter(({ code }) => code === "RENDERED_PRIVILEGED")).toHaveLength(containers);
    expect(findings.filter(({ code }) => code === "RENDERED_USER")).toHaveLength(containers);
    const seen: Registration[] = [];
    const program = () => new TrustKernDeployment("acme", { ...args, transform: worse });
    await expect(underMocks(program, seen)).rejects.toMatchObject({
      ...{ code: "PULUMI_TRANSFORM_REFUSED", exit: 5 },
    });
    expect(seen).toEqual([]);
  });
});

describe("a transform that gives back no object", () => {
  const other = plain.find(({ kind }) => kind === "network");
  const [count] = [plain.length];

  it.each([
    ["a text", () => "x"],
    ["null", () => null],
    ["a list", () => []],
    ["no inputs", ({ kind, name }: PlannedObject) => ({ kind, name })],
    ["inputs that are a list", (object: PlannedObject) => ({ ...object, inputs: [] })],
    ["another name", (object: PlannedObject) => ({ ...object, name: "x" })],
    ["another kind", (object: PlannedObject) => ({ ...object, kind: "volume" })],
    ["more than an object has", (object: PlannedObject) => ({ ...object, opts: { ignoreChanges: ["user"] } })],
    [
      "an error",
      () => {
        throw new Error("no");
      },
    ],
    ["a promise", async (object: PlannedObject) => object],
    ["an object of a class", (object: PlannedObject) => ({ ...object, inputs: new Map() })],
  ])("%s", (_, transform) => {
    const { code, findings } = refused(transform);
    expect(code).toBe("PULUMI_TRANSFORM");
    expect(findings).toHaveLength(count);
  });

  it("but the same one for all", () => {
    const { code, findings } = refused(() => other);
    expect(code).toBe("PULUMI_TRANSFORM");
    expect(findings).toHaveLength(count - 1);
  });

  it.each([
    ["an Output", () => output("0:0")],
    ["a Promise", () => Promise.resolve("0:0")],
    ["a function", () => () => "0:0"],
    ["a Date", () => new Date(0)],
    ["a number that is none", () => Number.POSITIVE_INFINITY],
  ])("but one with %s, which nobody can check", (_, value) => {
    const transform = (object: PlannedObject): unknown =>
      object.name === "custody" ? { ...object, inputs: { ...object.inputs, user: value() } } : undefined;
    expect(refused(transform)).toEqual({
      code: "PULUMI_TRANSFORM",
      findings: [{ code: "PULUMI_VALUE_UNKNOWN", path: "container.custody.user" }],
    });
  });

  it("but one that says another thing each time it is read: what is checked is what is registered", () => {
    let reads = 0;
    const twofaced = (object: PlannedObject): unknown => {
      if (object.name !== "custody") return undefined;
      const user = object.kind === "container" ? object.inputs.user : undefined;
      const inputs = Object.defineProperty({ ...object.inputs }, "user", {
        enumerable: true,
        get: () => (reads++ === 0 ? user : "0:0"),
      });
      return { ...object, inputs };
    };
    expect(plan(twofaced).objects).toEqual(plain);
    expect(reads).toBe(1);
  });
});
