import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import type { DockerCli } from "../../host/docker-cli.ts";
import { driftOf } from "./drift.ts";
import { conditionOf } from "./health.ts";
import type { Inspected } from "./inspect.ts";
import { removeLeftovers } from "./leftovers.ts";
import { renderDocker } from "./render.ts";

const deployment = resolveDeployment({
  name: "demo",
  tenant: "acme",
  profile: "dev",
  engine: "docker",
  images: { source: "packages", grafana: "absent" },
});
const digest = `sha256:${"a".repeat(64)}`;
const names =
  "backend broker collector custody custody-broker database gateway loki prometheus schema shipper simulator step-ca";
const images = {
  source: "packages",
  images: Object.fromEntries(names.split(" ").map((name) => [name, { reference: `trustkern/${name}:1.0.0`, digest }])),
} as const;
const rendered = renderDocker({
  deployment,
  dir: "/srv/demo/.trustkern",
  temporaryDir: tmpdir(),
  images,
  runAs: { uid: 10_001, gid: 10_001 },
});
const component = (name: string) => rendered.model.components.find((one) => one.name === name)!;

/** The broker's container, as Docker would say it where nobody changed anything. */
function broker(): Inspected {
  const spec = rendered.plan.containers.find(({ name }) => name === "broker")!;
  return {
    Id: "0",
    Name: "/broker",
    Image: digest,
    RestartCount: 0,
    State: { Status: "running", Running: true, ExitCode: 0, Pid: 1, StartedAt: "", Health: { Status: "healthy" } },
    Config: { User: spec.user, Labels: { ...spec.labels } },
    HostConfig: {
      Privileged: false,
      ReadonlyRootfs: true,
      CapAdd: null,
      CapDrop: ["ALL"],
      Memory: spec.memoryMiB * 1_048_576,
      PidsLimit: spec.pids,
      NetworkMode: "bridge",
      PortBindings: { "8883/tcp": [{ HostIp: "127.0.0.1", HostPort: "8883" }] },
    },
    Mounts: spec.mounts.map(({ source, target, readOnly }) => ({
      Type: "bind",
      Source: source,
      Destination: target,
      RW: !readOnly,
    })),
    NetworkSettings: {
      Networks: Object.fromEntries(
        rendered.plan.networks
          .filter(({ members }) => members.includes("broker"))
          .map(({ addresses, name }) => [name, { IPAddress: addresses.broker ?? "" }]),
      ),
    },
  };
}

type Draft = { -readonly [K in keyof Inspected]: Inspected[K] extends object ? Record<string, unknown> : Inspected[K] };

describe("driftOf", () => {
  it("finds nothing where nobody changed anything", () => {
    expect(driftOf("broker", rendered.plan, broker())).toEqual([]);
  });

  it("finds no address missing of a container that does not run", () => {
    const container = broker();
    const { Networks } = container.NetworkSettings;
    for (const network of Object.values(Networks)) network.IPAddress = "";
    expect(driftOf("broker", rendered.plan, container)).toEqual([]);
  });

  it.each<[string, (draft: Draft) => void]>([
    ["published ports", ({ HostConfig }) => (HostConfig.PortBindings = {})],
    [
      "published ports",
      ({ HostConfig }) => (HostConfig.PortBindings = { "8883/tcp": [{ HostIp: "0.0.0.0", HostPort: "8883" }] }),
    ],
    ["user", ({ Config }) => (Config.User = "0:0")],
    ["read-only root", ({ HostConfig }) => (HostConfig.ReadonlyRootfs = false)],
    ["privileged", ({ HostConfig }) => (HostConfig.Privileged = true)],
    ["added capabilities", ({ HostConfig }) => (HostConfig.CapAdd = ["NET_ADMIN"])],
    ["dropped capabilities", ({ HostConfig }) => (HostConfig.CapDrop = null)],
    ["memory limit in MiB", ({ HostConfig }) => (HostConfig.Memory = 0)],
    ["process limit", ({ HostConfig }) => (HostConfig.PidsLimit = null)],
    ["networks", ({ NetworkSettings }) => (NetworkSettings.Networks = { bridge: { IPAddress: "172.17.0.2" } })],
    [
      "addresses",
      ({ NetworkSettings }) => {
        const [one] = Object.values(NetworkSettings.Networks as Record<string, { IPAddress: string }>);
        if (one) one.IPAddress = "10.213.0.6";
      },
    ],
    ["mounts", (draft) => (draft.Mounts = [] as never)],
    ["configuration", ({ Config }) => (Config.Labels = {})],
    ["image", (draft) => (draft.Image = `sha256:${"b".repeat(64)}`)],
  ])("sees a change of the %s", (what, change) => {
    const container = structuredClone(broker());
    change(container as unknown as Draft);
    expect(driftOf("broker", rendered.plan, container)).toEqual([expect.stringMatching(new RegExp(`^${what}: `))]);
  });
});

describe("conditionOf", () => {
  const state = (changes: object): Inspected => {
    const container = broker();
    return { ...container, State: { ...container.State, ...changes } };
  };

  it.each([
    ["missing", "broker", undefined],
    ["healthy", "broker", broker()],
    ["starting", "broker", state({ Health: { Status: "starting" } })],
    ["unhealthy", "broker", state({ Health: { Status: "unhealthy" } })],
    ["unhealthy", "broker", state({ Status: "restarting", Running: true })],
    ["stopped", "broker", state({ Status: "exited", Running: false })],
    ["done", "schema", state({ Status: "exited", Running: false, ExitCode: 0, Health: undefined })],
    ["unhealthy", "schema", state({ Status: "exited", Running: false, ExitCode: 4, Health: undefined })],
    ["starting", "schema", state({ Health: undefined })],
  ] as const)("is %s of %s", (condition, name, container) => {
    expect(conditionOf(component(name), container)).toBe(condition);
  });
});

describe("removeLeftovers", () => {
  const [flow] = rendered.plan.networks;
  /** An engine with these containers and networks of the deployment; what is asked of it is in `asked`. */
  async function leftAfter(containers: readonly string[], networks: readonly string[], known: readonly string[]) {
    const asked: string[] = [];
    const docker: DockerCli = async (args) => {
      asked.push(args.join(" "));
      const stdout = args[0] === "ps" ? containers.join("\n") : args[1] === "ls" ? networks.join("\n") : "";
      return { stdout, stderr: "", code: 0 };
    };
    await removeLeftovers({ docker, deployment, onProgress: () => undefined }, rendered, known);
    return asked;
  }

  it("asks for what carries the labels of this state directory alone", async () => {
    const asked = await leftAfter([], [], []);
    expect(asked).toHaveLength(2);
    for (const question of asked) expect(question).toMatch(/label=trustkern\.state=[0-9a-f]{16}/);
  });

  it("removes what no state knows, containers before networks", async () => {
    const asked = await leftAfter(["broker", "backend"], [flow?.name ?? ""], ["docker_container.backend"]);
    expect(asked.slice(2)).toEqual(["rm --force broker", `network rm ${flow?.name}`]);
  });

  it("leaves what the state knows, and a network that is not in the plan any more", async () => {
    const known = ["docker_container.broker", `docker_network.${flow?.id}`];
    expect(await leftAfter(["broker"], [flow?.name ?? "", "tk-demo_gone"], known)).toHaveLength(2);
  });
});
