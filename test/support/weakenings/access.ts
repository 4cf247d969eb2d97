import {
  containersOf,
  dropping,
  type Loose,
  networksOf,
  type Operator,
  onContainer,
  onNetwork,
  setting,
} from "./operator.ts";

const NETWORKS = "rendered.networks";
const PORTS = "rendered.ports";
const MOUNTS = "rendered.mounts";

const HOST = [
  "/",
  "/etc",
  "/root",
  "/proc",
  "/sys",
  "/dev",
  "/var/lib/docker",
  "/var/run/docker.sock",
  "/run/containerd",
];
const STATE = [
  "",
  "/authorities",
  "/secrets",
  "/volumes",
  "/config",
  "/run",
  "/terraform",
  "/secrets/gw-01/../custody",
];
const mounted = (source: string, writable: boolean) => ({ type: "bind", source, target: "/x", read_only: !writable });
const reference = (id: string) => `$${`{docker_network.${id}.id}`}`;
const published = (box: Loose) => box.ports !== undefined && box.ports.length > 0;
const networked = (box: Loose) => (box.networks_advanced ?? []).length > 0;

function othersOf(box: Loose, stack: Loose): Loose[] {
  return Object.values(containersOf(stack)).filter((other) => other !== box);
}

/** What a container sees of its host and of others. */
export const MOUNT_OPERATORS: readonly Operator[] = [
  onContainer("mount of the host", MOUNTS, (box, draw) =>
    box.mounts.push(mounted(draw.pick(HOST), draw.below(2) === 1)),
  ),
  onContainer("mount of the state directory", MOUNTS, (box, draw) =>
    box.mounts.push(mounted(`/srv/trustkern${draw.pick(STATE)}`, draw.below(2) === 1)),
  ),
  onContainer("mount of another component", MOUNTS, (box, draw, stack) => {
    const own = new Set(box.mounts.map(({ source }: Loose) => source));
    const foreign = othersOf(box, stack)
      .flatMap(({ mounts }) => mounts)
      .filter(({ source }) => !own.has(source));
    box.mounts.push({ ...draw.pick(foreign), target: "/x" });
  }),
  onContainer("foreign source at an own place", MOUNTS, (box, draw, stack) => {
    draw.pick<Loose>(box.mounts).source = draw.pick<Loose>(draw.pick(othersOf(box, stack)).mounts).source;
  }),
  onContainer("writable", MOUNTS, (box, draw) => {
    draw.pick<Loose>(box.mounts.filter(({ read_only: readOnly }: Loose) => readOnly)).read_only = false;
  }),
  onContainer("another place inside", MOUNTS, (box, draw) => {
    draw.pick<Loose>(box.mounts).target = draw.pick(["/app", "/usr/bin", "/etc", "/run/secrets/x"]);
  }),
  onContainer("another kind of mount", MOUNTS, (box, draw) => {
    draw.pick<Loose>(box.mounts).type = draw.pick(["volume", "tmpfs", "npipe"]);
  }),
  setting("volumes", MOUNTS, [[{ host_path: "/", container_path: "/x" }], [{ from_container: "custody" }]]),
  onContainer("memory that runs programs", MOUNTS, (box, draw) => {
    box.tmpfs = {
      ...box.tmpfs,
      [draw.pick(["/tmp", "/run/step", "/srv"])]: draw.pick(["exec", "rw,size=64m", "mode=1777"]),
    };
  }),
];

/** What is published. */
export const PORT_OPERATORS: readonly Operator[] = [
  onContainer(
    "all addresses",
    PORTS,
    (box, draw) => {
      draw.pick<Loose>(box.ports).ip = draw.pick(["0.0.0.0", "::", "", "203.0.113.7"]);
    },
    published,
  ),
  onContainer(
    "no address",
    PORTS,
    (box, draw) => {
      delete draw.pick<Loose>(box.ports).ip;
    },
    published,
  ),
  onContainer("a further port", PORTS, (box, draw) => {
    const internal = draw.pick([22, 80, 1883, 2375, 5432, 8443, 9229, 9464]);
    box.ports = [
      ...(box.ports ?? []),
      { ip: "127.0.0.1", internal, external: 20_000 + draw.below(999), protocol: "tcp" },
    ];
  }),
  onContainer(
    "another port of the host",
    PORTS,
    (box, draw) => {
      draw.pick<Loose>(box.ports).external += 1 + draw.below(99);
    },
    published,
  ),
  onContainer(
    "another port inside",
    PORTS,
    (box, draw) => {
      draw.pick<Loose>(box.ports).internal += 1 + draw.below(99);
    },
    published,
  ),
  onContainer(
    "another protocol",
    PORTS,
    (box, draw) => {
      draw.pick<Loose>(box.ports).protocol = "sctp";
    },
    published,
  ),
  setting("publish_all_ports", PORTS, [true]),
];

/** Who reaches whom, and under which name. */
export const NETWORK_OPERATORS: readonly Operator[] = [
  onContainer("a foreign network", NETWORKS, (box, draw, stack) => {
    const own = new Set((box.networks_advanced ?? []).map(({ name }: Loose) => name));
    const foreign = Object.keys(networksOf(stack))
      .map(reference)
      .filter((name) => !own.has(name));
    box.networks_advanced = [...(box.networks_advanced ?? []), { name: draw.pick(foreign) }];
  }),
  onContainer("a network of the host's", NETWORKS, (box, draw) => {
    box.networks_advanced = [
      ...(box.networks_advanced ?? []),
      { name: draw.pick(["bridge", "host", "none", "ingress"]) },
    ];
  }),
  onContainer(
    "another's network instead of its own",
    NETWORKS,
    (box, draw, stack) => {
      draw.pick<Loose>(box.networks_advanced).name = reference(draw.pick(Object.keys(networksOf(stack))));
    },
    networked,
  ),
  onContainer(
    "another's address",
    NETWORKS,
    (box, draw, stack) => {
      const taken = othersOf(box, stack).flatMap(({ networks_advanced: all = [] }) => all);
      draw.pick<Loose>(box.networks_advanced).ipv4_address = draw.pick<Loose>(taken).ipv4_address;
    },
    networked,
  ),
  onContainer(
    "no fixed address",
    NETWORKS,
    (box, draw) => {
      delete draw.pick<Loose>(box.networks_advanced).ipv4_address;
    },
    networked,
  ),
  onContainer(
    "another's name",
    NETWORKS,
    (box, draw) => {
      const name = draw.pick(["database", "broker", "custody", "backend"]);
      draw.pick<Loose>(box.networks_advanced).aliases = [`${name}.acme.trustkern.internal`, "x"];
    },
    networked,
  ),
  {
    name: "one network for all",
    breaks: NETWORKS,
    weaken: (stack, draw) => {
      const id = draw.pick(Object.keys(networksOf(stack)));
      for (const box of Object.values(containersOf(stack))) box.networks_advanced = [{ name: reference(id) }];
      return id;
    },
  },
  setting("dns", NETWORKS, [["203.0.113.53"], ["127.0.0.1", "8.8.8.8"], []]),
  setting("dns_search", NETWORKS, [["evil.example"]]),
  setting("host", NETWORKS, [[{ host: "broker.acme.trustkern.internal", ip: "203.0.113.1" }]]),
  setting("hostname", NETWORKS, ["custody", "localhost"]),
  dropping("networks_advanced", NETWORKS),
  onNetwork(
    "a way out",
    (network) => {
      network.internal = false;
    },
    ({ internal }) => internal,
  ),
  onNetwork("another driver", (network, draw) => {
    network.driver = draw.pick(["macvlan", "ipvlan", "host", "overlay"]);
  }),
  onNetwork("an option", (network, draw) => {
    const [name, value] = draw.pick([
      ["enable_icc", "true"],
      ["enable_ip_masquerade", "true"],
      ["host_binding_ipv4", "0.0.0.0"],
      ["name", "docker0"],
    ] as const);
    network.options = { ...network.options, [`com.docker.network.bridge.${name}`]: value };
  }),
  onNetwork("no options", (network) => {
    delete network.options;
  }),
  onNetwork("attachable by hand", (network) => {
    network.options = { ...network.options, attachable: "true" };
  }),
  onNetwork("another subnet", (network, draw) => {
    network.ipam_config = [
      { subnet: draw.pick(["0.0.0.0/0", "192.168.0.0/16", "10.213.0.0/16"]), gateway: "10.213.0.1" },
    ];
  }),
  onNetwork("another's subnet", (network, draw, stack) => {
    network.ipam_config = draw.pick(Object.values(networksOf(stack)).filter((other) => other !== network)).ipam_config;
  }),
  onNetwork("a label less", (network, draw) => network.labels.splice(draw.below(network.labels.length), 1)),
  onNetwork("the engine's own name", (network) => {
    network.name = "bridge";
  }),
];
