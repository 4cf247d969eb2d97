import { overlaps } from "../../../shared/paths.ts";
import { shown } from "../../../shared/shown.ts";
import type { ObservedContainer } from "./observe.ts";
import type { StartPlace } from "./place.ts";

/** With one of these, as Docker shows them, a container reaches into every other one (capabilities(7)). */
const OF_THE_HOST = [
  "privileged=true",
  "pid=host",
  "ipc=host",
  ...[
    ...["ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "MKNOD"],
    ...["DAC_READ_SEARCH", "BPF", "PERFMON", "CHECKPOINT_RESTORE"],
  ].flatMap((capability) => [`added=${capability}`, `added=CAP_${capability}`]),
];

/** In the host's network, these change what it lets through. */
const OF_ITS_NETWORK = ["added=NET_ADMIN", "added=CAP_NET_ADMIN"];

/** The processes of the host, whose roots and environments are files there, and its devices. */
const OF_THE_KERNEL = ["/proc", "/dev"];

/** Devices that every container has. */
const OF_EVERYBODY = ["null", "zero", "full", "random", "urandom", "tty", "log"].map((name) => `/dev/${name}`);

/** Who writes there has programs of its own run as root of the host. */
const OF_ITS_PROGRAMS = [
  ...["/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/root"],
  ...["/var/spool/cron", "/run/systemd", "/var/lib/systemd"],
];

/** The sockets of container engines, wherever they are. */
const ENGINE_SOCKET = /\/(?:docker|containerd|podman|crio)\.sock$/;

/** Disks, and memory, by the names that Linux gives them; those with other names are told by what they are. */
const DISK =
  /^\/dev(?:\/(?:(?:sd|vd|xvd|hd|nvme|mmcblk|dm-|md|loop|nbd|sr|zd|zram|rbd|drbd|bcache|pmem)\w*|(?:mapper|disk|block)(?:\/.*)?|k?mem|port))?$/;

/** A rule of the device cgroup: type, numbers, rights. */
const DEVICE_RULE = /^[abc] /;

/** Why a container that is none of the deployment's must not be on its host; nothing where it may. */
export function reasonsAgainst(
  stranger: ObservedContainer,
  containers: readonly ObservedContainer[],
  isOurs: (name: string) => boolean,
  place: StartPlace,
): readonly string[] {
  const { labels, networks, sharesWith } = stranger;
  const [label, value] = place.label;
  const ours = containers.filter(({ name }) => isOurs(name));
  const ourNetworks = new Set(ours.flatMap((each) => each.networks));
  return [
    ...(labels[label] === value ? [`it has the label ${label}=${value}`] : []),
    ...pathReasons(stranger, place),
    ...deviceReasons(stranger, place),
    ...rightReasons(stranger),
    ...networks
      .filter((network) => ourNetworks.has(network))
      .map((network) => `it is in the network ${shown(network)}`),
    ...ours
      .filter(({ id, name }) => sharesWith.includes(id) || sharesWith.includes(name))
      .map(({ name }) => `it shares a namespace of ${name}`),
  ];
}

function pathReasons(
  { sources, writable, ofEngine }: ObservedContainer,
  { layout, guarded }: StartPlace,
): readonly string[] {
  const kept = [layout.dir, layout.runDir, ...guarded, ...OF_THE_KERNEL];
  const seen = sources.filter(
    (source) =>
      ofEngine.includes(source) ||
      ENGINE_SOCKET.test(source) ||
      (!OF_EVERYBODY.includes(source) && kept.some((path) => overlaps(source, path))),
  );
  const written = writable.filter(
    (path) => !seen.includes(path) && OF_ITS_PROGRAMS.some((folder) => overlaps(path, folder)),
  );
  return [
    ...seen.map((path) => `it sees ${shown(path)}`),
    ...written.map((path) => `it may write to ${shown(path)} of the host`),
  ];
}

function deviceReasons({ facts, disks }: ObservedContainer, { guarded }: StartPlace): readonly string[] {
  const rules = facts.devices.filter((device) => DEVICE_RULE.test(device));
  const devices = facts.devices.filter((device) => {
    const path = device.replace(/ \([rwm]*\)$/, "");
    return disks.includes(path) || DISK.test(path) || guarded.some((one) => overlaps(path, one));
  });
  return [
    ...devices.map((device) => `it has the device ${shown(device)}`),
    ...rules.map((rule) => `it may open devices by the rule ${shown(rule)}`),
  ];
}

function rightReasons({ facts }: ObservedContainer): readonly string[] {
  const { rights, networks } = facts;
  const inHosts = networks.includes("mode=host");
  const wrong = rights.filter((right) => OF_THE_HOST.includes(right) || (inHosts && OF_ITS_NETWORK.includes(right)));
  return wrong.map((right) => `it has the right ${shown(right)}`);
}
