import type { ContainerSpec } from "../containers.ts";
import type { DockerPlan } from "../plan.ts";
import type { Inspected } from "./inspect.ts";

type Fact = readonly [what: string, expected: unknown, actual: unknown];

const PROCESS_LIMIT = "process limit";

/**
 * What a running container has that the stack does not say, and the other way round, in the words of the model.
 * @throws TypeError for a container that is not in the plan
 */
export function driftOf(name: string, plan: DockerPlan, container: Inspected): readonly string[] {
  return differences(name, plan, container).map(
    ([what, expected, actual]) => `${what}: ${short(actual)} instead of ${short(expected)}`,
  );
}

/**
 * Whether a container differs in what only another one in its place mends. The process limit is set on the running one.
 * @throws TypeError for a container that is not in the plan
 */
export function driftsForGood(name: string, plan: DockerPlan, container: Inspected): boolean {
  return differences(name, plan, container).some(([what]) => what !== PROCESS_LIMIT);
}

function differences(name: string, plan: DockerPlan, container: Inspected): readonly Fact[] {
  const spec = plan.containers.find((one) => one.name === name);
  if (spec === undefined) throw new TypeError(`${name} has no container in the plan`);
  const { Image, Config, HostConfig, NetworkSettings, Mounts } = container;
  const wanted = new Map(plan.networks.map((network) => [network.id, network.name]));
  // Of an image from a registry the lock knows the manifest, and not what the engine calls it.
  const image = plan.source !== "registry" ? spec.pin.digest : undefined;
  // A container that does not run has none.
  const addressed = spec.networks.flatMap(({ id, address }) => {
    const name = wanted.get(id) ?? id;
    const actual = NetworkSettings.Networks[name]?.IPAddress ?? "";
    return actual === "" ? [] : [{ expected: `${address} in ${name}`, actual: `${actual} in ${name}` }];
  });
  const facts: readonly Fact[] = [
    ["published ports", listed(portsOf(spec)), listed(publishedBy(container))],
    ["user", spec.user, Config.User],
    ["read-only root", spec.readOnlyRoot, HostConfig.ReadonlyRootfs],
    ["privileged", false, HostConfig.Privileged],
    ["added capabilities", listed(spec.addedCapabilities), listed(HostConfig.CapAdd ?? [])],
    [
      "devices",
      listed(spec.devices.map((path) => `${path} (rw)`)),
      listed((HostConfig.Devices ?? []).map((each) => `${each.PathOnHost} (${each.CgroupPermissions})`)),
    ],
    ["dropped capabilities", "ALL", listed(HostConfig.CapDrop ?? [])],
    ["memory limit in MiB", spec.memoryMiB, HostConfig.Memory / 1_048_576],
    [PROCESS_LIMIT, spec.pids, HostConfig.PidsLimit ?? "none"],
    ["networks", listed(spec.networks.map(({ id }) => wanted.get(id) ?? id)), listed(joined(NetworkSettings.Networks))],
    ["addresses", listed(addressed.map(({ expected }) => expected)), listed(addressed.map(({ actual }) => actual))],
    [
      "mounts",
      listed(spec.mounts.map(({ source, target, readOnly }) => mount(source, target, !readOnly))),
      listed(Mounts.filter(({ Type }) => Type !== "tmpfs").map((one) => mount(one.Source, one.Destination, one.RW))),
    ],
    ["configuration", spec.labels["trustkern.config"], Config.Labels?.["trustkern.config"] ?? "none"],
    ["image", image ?? Image, Image],
  ];
  return facts.filter(([, expected, actual]) => expected !== actual);
}

function portsOf({ ports }: ContainerSpec): readonly string[] {
  return ports.map(({ address, external, internal, protocol }) => `${address}:${external} to ${internal}/${protocol}`);
}

function publishedBy({ HostConfig }: Inspected): readonly string[] {
  return Object.entries(HostConfig.PortBindings ?? {}).flatMap(([inside, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort} to ${inside}`),
  );
}

function joined(networks: Inspected["NetworkSettings"]["Networks"]): readonly string[] {
  return Object.keys(networks).filter((name) => name !== "none");
}

function mount(source: string, target: string, writable: boolean): string {
  return `${source} at ${target}${writable ? "" : " (read-only)"}`;
}

function listed(names: readonly string[]): string {
  return names.toSorted().join(", ") || "none";
}

function short(value: unknown): string {
  const text = String(value);
  return /^(sha256:)?[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 19)}…` : text;
}
