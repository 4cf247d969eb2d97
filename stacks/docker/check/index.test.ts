import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Deployment } from "../../../model/deployment.ts";
import { buildModel } from "../../../modules/index.ts";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { layoutOf } from "../../host/layout.ts";
import { STATE_FILE, synthJson } from "../cdktf.ts";
import type { ImagePins } from "../images.ts";
import { dockerPlacement } from "../placement.ts";
import { planContainers } from "../plan.ts";
import { checkRendered } from "./index.ts";
import type { CheckContext, RenderedCode } from "./subject.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with an editor could
type Loose = any;

const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const euHosted = resolveDeployment({
  name: "prod",
  tenant: "acme",
  profile: "eu-hosted",
  hosting: { region: "eu-central-1", account: "123456789012" },
  state: { backend: "s3", bucket: "states", key: "acme/prod.tfstate", region: "eu-central-1" },
});

function rendered(deployment: Deployment, locked = true): { readonly json: Loose; readonly context: CheckContext } {
  const { source } = deployment.images;
  const model = buildModel(deployment, dockerPlacement(deployment));
  const pins = model.components.map(({ image = "" }) => {
    const digest = `sha256:${Buffer.from(image).toString("hex").padEnd(64, "0").slice(0, 64)}`;
    return [image, { reference: `registry.example/${image}:1.0.0`, ...(locked ? { digest } : {}) }] as const;
  });
  const images: ImagePins = { source, images: Object.fromEntries(pins) };
  const layout = layoutOf("/srv/trustkern", "/tmp");
  const target = { deployment, layout, runAs: { uid: 10_001, gid: 10_001 }, images };
  const state = { backend: deployment.state, localFile: STATE_FILE };
  return { json: synthJson(planContainers(model, target), state), context: { ...target, model } };
}

const codesOf = ({ json, context }: ReturnType<typeof rendered>) =>
  checkRendered(json, context).map(({ code }) => code);

const states: readonly Deployment["state"][] = [
  { kind: "local" },
  { kind: "s3", bucket: "states", key: "a", region: "eu", endpoint: "https://s3.example" },
  { kind: "http", address: "https://state.example/acme" },
];

const PLAIN: readonly (readonly [string, Deployment])[] = [
  ["dev", dev],
  ["dev with packages", { ...dev, images: { ...dev.images, source: "packages" as const } }],
  ["dev with Grafana absent", { ...dev, images: { ...dev.images, grafana: "absent" as const } }],
  ["dev with two gateways", { ...dev, gateways: ["gw-01", "gw-02"] }],
  ["eu-hosted", euHosted],
  ...states.map((state) => [`eu-hosted with ${state.kind} state`, { ...euHosted, state }] as const),
];

it.each(PLAIN)("finds nothing in the stack of %s", (_, deployment) => {
  const { json, context } = rendered(deployment);
  expect(checkRendered(json, context)).toEqual([]);
});

it("finds nothing in a stack before its images are locked", () => {
  expect(codesOf(rendered(dev, false))).toEqual([]);
});

const box = (stack: Loose, name = "collector") => stack.resource.docker_container[name];
const mount = (stack: Loose, part: string, name = "collector") =>
  box(stack, name).mounts.find(({ source }: Loose) => source.includes(part));
const net = (stack: Loose, id: string) => stack.resource.docker_network[id];
const member = (stack: Loose, name: string, id: string) =>
  box(stack, name).networks_advanced.find((each: Loose) => each.name.includes(`.${id}.`));
const label = ({ labels }: Loose, name: string) => labels.find((each: Loose) => each.label === `trustkern.${name}`);
const again = (list: Loose[]) => list.push(structuredClone(list[0]));
const bind = (source: string, target = "/x") => ({ type: "bind", source, target, read_only: true });
const NET = "collector_broker_mqtts";
const BRIDGE = "com.docker.network.bridge.name";
const pipe = "$".concat("{");

const WEAKENINGS: readonly (readonly [string, RenderedCode, (stack: Loose) => void])[] = [
  ["a privileged container", "RENDERED_PRIVILEGED", (s) => (box(s).privileged = true)],
  ["a device of the host", "RENDERED_PRIVILEGED", (s) => (box(s).devices = [{ host_path: "/dev/sda" }])],
  ["a GPU", "RENDERED_PRIVILEGED", (s) => (box(s).gpus = "all")],
  ["a kernel parameter", "RENDERED_PRIVILEGED", (s) => (box(s).sysctls = { "net.ipv4.ip_forward": "1" })],
  ["another runtime", "RENDERED_PRIVILEGED", (s) => (box(s).runtime = "sysbox")],
  ["the host's network", "RENDERED_NAMESPACE", (s) => (box(s).network_mode = "host")],
  ["the network of another container", "RENDERED_NAMESPACE", (s) => (box(s).network_mode = "container:custody")],
  ["any network for custody", "RENDERED_NAMESPACE", (s) => (box(s, "custody").network_mode = "bridge")],
  ["the host's processes", "RENDERED_NAMESPACE", (s) => (box(s).pid_mode = "host")],
  ["the host's shared memory", "RENDERED_NAMESPACE", (s) => (box(s).ipc_mode = "host")],
  ["the host's users", "RENDERED_NAMESPACE", (s) => (box(s).userns_mode = "host")],
  ["the host's control groups", "RENDERED_NAMESPACE", (s) => (box(s).cgroupns_mode = "host")],
  ["Docker's socket", "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/var/run/docker.sock"))],
  ["the host's root", "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/"))],
  ["the state directory", "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/srv/trustkern"))],
  ["the root authority", "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/srv/trustkern/authorities"))],
  [
    "a path that climbs",
    "RENDERED_MOUNT",
    (s) => box(s).mounts.push(bind("/srv/trustkern/secrets/collector/../custody", "/x")),
  ],
  [
    "another component's secret",
    "RENDERED_MOUNT",
    (s) => box(s).mounts.push(bind("/srv/trustkern/secrets/custody/passphrase")),
  ],
  [
    "another component's volume",
    "RENDERED_MOUNT",
    (s) => box(s).mounts.push(bind("/srv/trustkern/volumes/database/data")),
  ],
  [
    "another component's socket",
    "RENDERED_MOUNT",
    (s) => box(s).mounts.push(bind("/srv/trustkern/run/custody.control", "/run/trustkern/custody.control")),
  ],
  [
    "custody's KEM for the broker",
    "RENDERED_MOUNT",
    (s) => box(s, "broker").mounts.push(bind("/srv/trustkern/run/custody.kem", "/run/trustkern/custody.kem")),
  ],
  [
    "custody's KEM for the collector, past its broker",
    "RENDERED_MOUNT",
    (s) => box(s, "collector").mounts.push(bind("/srv/trustkern/run/custody.kem", "/run/trustkern/custody.kem")),
  ],
  [
    "custody's management for its broker",
    "RENDERED_MOUNT",
    (s) =>
      box(s, "custody-broker").mounts.push(bind("/srv/trustkern/run/custody.manage", "/run/trustkern/custody.manage")),
  ],
  [
    "another component's secrets instead of its own",
    "RENDERED_MOUNT",
    (s) => (mount(s, "secrets/").source = "/srv/trustkern/secrets/custody"),
  ],
  ["the secrets of all", "RENDERED_MOUNT", (s) => (mount(s, "secrets/").source = "/srv/trustkern/secrets")],
  [
    "a secret by itself, beside the folder",
    "RENDERED_MOUNT",
    (s) => box(s).mounts.push(bind("/srv/trustkern/secrets/collector/tls.key", "/run/secrets/tls.key")),
  ],
  [
    "a second folder of secrets",
    "RENDERED_MOUNT",
    (s) => box(s, "shipper").mounts.push(bind("/srv/trustkern/secrets/nobody", "/run/secrets")),
  ],
  ["secrets at another place", "RENDERED_MOUNT", (s) => (mount(s, "secrets/").target = "/var/lib/trustkern/state/k")],
  ["a mount over another", "RENDERED_MOUNT", (s) => (mount(s, "config/").target = mount(s, "secrets/").target)],
  [
    "no secrets",
    "RENDERED_MOUNT",
    (s) => (box(s).mounts = box(s).mounts.filter((m: Loose) => m.target !== "/run/secrets")),
  ],
  ["a volume of Docker", "RENDERED_MOUNT", (s) => (mount(s, "volumes/").type = "volume")],
  ["volumes of another container", "RENDERED_MOUNT", (s) => (box(s).volumes = [{ from_container: "custody" }])],
  ["secrets that may be written", "RENDERED_MOUNT_WRITABLE", (s) => (mount(s, "secrets/").read_only = false)],
  ["a configuration that may be written", "RENDERED_MOUNT_WRITABLE", (s) => delete mount(s, "config/").read_only],
  [
    "the KEM's folder that may be written",
    "RENDERED_MOUNT_WRITABLE",
    (s) => (mount(s, "custody-broker.kem").read_only = false),
  ],
  ["a capability", "RENDERED_CAPABILITY", (s) => (box(s).capabilities.add = ["NET_ADMIN"])],
  ["capabilities that are kept", "RENDERED_CAPABILITY", (s) => delete box(s).capabilities],
  ["capabilities that are dropped in part", "RENDERED_CAPABILITY", (s) => (box(s).capabilities.drop = ["NET_RAW"])],
  ["new privileges", "RENDERED_PRIVILEGES_NEW", (s) => delete box(s).security_opts],
  ["no seccomp", "RENDERED_PRIVILEGES_NEW", (s) => box(s).security_opts.push("seccomp=unconfined")],
  ["root", "RENDERED_USER", (s) => (box(s).user = "0:0")],
  ["root by name", "RENDERED_USER", (s) => (box(s).user = "root")],
  ["the image's own user", "RENDERED_USER", (s) => delete box(s).user],
  ["a further group", "RENDERED_USER", (s) => (box(s).group_add = ["docker"])],
  ["a root that may be written", "RENDERED_ROOTFS", (s) => (box(s).read_only = false)],
  ["a root of which nothing is said", "RENDERED_ROOTFS", (s) => delete box(s).read_only],
  ["memory as an undeclared folder", "RENDERED_TMPFS", (s) => (box(s).tmpfs = { "/srv": "size=64m" })],
  ["no memory limit", "RENDERED_LIMIT", (s) => delete box(s).memory],
  ["memory without a bound", "RENDERED_LIMIT", (s) => (box(s).memory = 0)],
  ["more memory than the component", "RENDERED_LIMIT", (s) => (box(s).memory_swap = box(s).memory *= 2)],
  ["core dumps", "RENDERED_LIMIT", (s) => delete box(s, "custody").ulimit],
  ["core dumps that a process may ask for", "RENDERED_LIMIT", (s) => (box(s).ulimit[0].hard = -1)],
  ["swap", "RENDERED_LIMIT", (s) => (box(s).memory_swap = -1)],
  ["no processor limit", "RENDERED_LIMIT", (s) => delete box(s).cpus],
  ["more processors than the component", "RENDERED_LIMIT", (s) => (box(s).cpus = "64")],
  ["no health check", "RENDERED_HEALTH", (s) => delete box(s).healthcheck],
  ["a health check that says nothing", "RENDERED_HEALTH", (s) => (box(s).healthcheck.test = ["CMD", "/bin/true"])],
  ["a health check that is taken away", "RENDERED_HEALTH", (s) => (box(s).healthcheck = { test: ["NONE"] })],
  ["no restart", "RENDERED_RESTART", (s) => (box(s).restart = "no")],
  ["a container that may stay down", "RENDERED_RESTART", (s) => (box(s).must_run = false)],
  ["a log to elsewhere", "RENDERED_LOG", (s) => (box(s).log_opts["fluentd-address"] = "evil.example:24224")],
  ["another log driver", "RENDERED_LOG", (s) => (box(s).log_driver = "syslog")],
  ["a log without rotation", "RENDERED_LOG", (s) => delete box(s, "shipper").log_opts["max-size"]],
  ["another program", "RENDERED_COMMAND", (s) => (box(s).entrypoint = ["/bin/sh", "-c", "cat /run/secrets/*"])],
  ["further arguments", "RENDERED_COMMAND", (s) => (box(s).command = ["--insecure"])],
  ["the tag latest", "RENDERED_IMAGE", (s) => (box(s).image = "registry.example/collector:latest")],
  ["a tag instead of a digest", "RENDERED_IMAGE", (s) => (box(s).image = "registry.example/collector:1.0.0")],
  ["another digest", "RENDERED_IMAGE", (s) => (s.resource.docker_image.collector.name += "0")],
  ["an image from elsewhere", "RENDERED_IMAGE", (s) => (s.resource.docker_image.extra = { name: "evil/x:1" })],
  ["all addresses", "RENDERED_PORT", (s) => (box(s, "broker").ports[0].ip = "0.0.0.0")],
  ["no address", "RENDERED_PORT", (s) => delete box(s, "broker").ports[0].ip],
  [
    "the database to outside",
    "RENDERED_PORT",
    (s) => (box(s, "database").ports = [{ ip: "127.0.0.1", internal: 5432, external: 5432, protocol: "tcp" }]),
  ],
  ["another port of the host", "RENDERED_PORT", (s) => (box(s, "broker").ports[0].external = 1883)],
  ["every port", "RENDERED_PORT", (s) => (box(s).publish_all_ports = true)],
  ["an undeclared variable", "RENDERED_ENVIRONMENT", (s) => (box(s).env = ["NODE_OPTIONS=--inspect"])],
  ["a secret as a variable", "RENDERED_SECRET", (s) => (box(s).env = ["DB_PASSWORD=hunter2"])],
  [
    "a secret as an upload",
    "RENDERED_SECRET",
    (s) => (box(s).upload = [{ file: "/run/secrets/key", content: "hunter2" }]),
  ],
  ["a private key as a label", "RENDERED_SECRET", (s) => (box(s).labels[0].value = "-----BEGIN EC PRIVATE KEY-----")],
  ["an age key as an argument", "RENDERED_SECRET", (s) => box(s).entrypoint.push("AGE-SECRET-KEY-1QQ")],
  ["a name of the host's", "RENDERED_NAME", (s) => (box(s).host = [{ host: "broker", ip: "203.0.113.1" }])],
  ["a resolver", "RENDERED_NAME", (s) => (box(s).dns = ["203.0.113.53"])],
  ["the daemon's own resolver", "RENDERED_NAME", (s) => delete box(s).dns],
  [
    "another component's name",
    "RENDERED_NAME",
    (s) => (box(s).networks_advanced[0].aliases = ["broker.acme.trustkern.internal"]),
  ],
  [
    "a network of other flows",
    "RENDERED_NETWORK_MEMBER",
    (s) => box(s, "gw-01").networks_advanced.push({ name: `${pipe}docker_network.collector_database_postgres.id}` }),
  ],
  ["a network by name", "RENDERED_NETWORK_MEMBER", (s) => (box(s).networks_advanced[0].name = "bridge")],
  [
    "one network for all",
    "RENDERED_NETWORK_MEMBER",
    (s) => {
      for (const each of Object.values<Loose>(s.resource.docker_container)) {
        each.networks_advanced = [{ name: `${pipe}docker_network.collector_broker_mqtts.id}` }];
      }
    },
  ],
  ["a flow's data to outside", "RENDERED_NETWORK", (s) => (net(s, "collector_database_postgres").internal = false)],
  [
    "hidden senders",
    "RENDERED_NETWORK",
    (s) => (net(s, "broker_publish").options["com.docker.network.bridge.enable_ip_masquerade"] = "true"),
  ],
  ["a network of no flow", "RENDERED_NETWORK", (s) => (s.resource.docker_network.extra = net(s, "broker_publish"))],
  ["a network of the host", "RENDERED_NETWORK", (s) => (net(s, "collector_broker_mqtts").driver = "macvlan")],
  [
    "networks that overlap",
    "RENDERED_NETWORK",
    (s) => (net(s, "collector_broker_mqtts").ipam_config = net(s, "collector_database_postgres").ipam_config),
  ],
  [
    "a subnet of another's",
    "RENDERED_NETWORK",
    (s) => (net(s, "collector_broker_mqtts").ipam_config[0].subnet = "192.168.1.0/29"),
  ],
  ["a manual guest", "RENDERED_ATTRIBUTE", (s) => (net(s, "collector_broker_mqtts").attachable = true)],
  ["no network of a container's own", "RENDERED_NETWORK_MEMBER", (s) => delete box(s).networks_advanced],
  ["an empty list of networks", "RENDERED_NETWORK_MEMBER", (s) => (box(s).networks_advanced = [])],
  ["a network too few", "RENDERED_NETWORK_MEMBER", (s) => box(s).networks_advanced.pop()],
  [
    "no network that publishes",
    "RENDERED_NETWORK_MEMBER",
    (s) =>
      (box(s, "broker").networks_advanced = box(s, "broker").networks_advanced.filter(
        ({ name }: Loose) => !name.includes("_publish"),
      )),
  ],
  ["a network twice", "RENDERED_NETWORK_MEMBER", (s) => again(box(s).networks_advanced)],
  [
    "a network as a list of names",
    "RENDERED_NETWORK_MEMBER",
    (s) => (box(s).networks_advanced[0].name = [box(s).networks_advanced[0].name]),
  ],
  [
    "a network of custody's",
    "RENDERED_NETWORK_MEMBER",
    (s) => (box(s, "custody").networks_advanced = box(s).networks_advanced),
  ],
  ["no network mode", "RENDERED_NAMESPACE", (s) => delete box(s, "custody").network_mode],
  ["a listener without its name", "RENDERED_NAME", (s) => delete box(s, "broker").networks_advanced[0].aliases],
  ["no labels of a network", "RENDERED_NETWORK", (s) => delete net(s, "broker_publish").labels],
  ["a label too few of a network", "RENDERED_NETWORK", (s) => net(s, "broker_publish").labels.shift()],
  [
    "another address in a network",
    "RENDERED_ADDRESS",
    (s) => (box(s).networks_advanced[0].ipv4_address = "10.213.0.6"),
  ],
  ["an address of the engine's choice", "RENDERED_ADDRESS", (s) => delete box(s).networks_advanced[0].ipv4_address],
  [
    "the address of the other end",
    "RENDERED_ADDRESS",
    (s) => (member(s, "broker", NET).ipv4_address = member(s, "collector", NET).ipv4_address),
  ],
  [
    "the addresses of both ends exchanged",
    "RENDERED_ADDRESS",
    (s) => {
      const [one, other] = [member(s, "broker", NET), member(s, "collector", NET)];
      [one.ipv4_address, other.ipv4_address] = [other.ipv4_address, one.ipv4_address];
    },
  ],
  [
    "the address of another network",
    "RENDERED_ADDRESS",
    (s) => (member(s, "broker", NET).ipv4_address = member(s, "broker", "broker_publish").ipv4_address),
  ],
  [
    "two addresses in a network",
    "RENDERED_ADDRESS",
    (s) => (box(s).networks_advanced[0].ipv4_address = ["10.213.0.6"]),
  ],
  ["an IPv6 address", "RENDERED_ATTRIBUTE", (s) => (box(s).networks_advanced[0].ipv6_address = "fd00::2")],
  ["a bridge of another name", "RENDERED_NETWORK", (s) => (net(s, NET).options[BRIDGE] = "docker0")],
  ["a bridge that Docker names", "RENDERED_NETWORK", (s) => delete net(s, NET).options[BRIDGE]],
  [
    "a bridge that publishes, named as one of a flow",
    "RENDERED_NETWORK",
    (s) => (net(s, "broker_publish").options[BRIDGE] = net(s, "broker_publish").options[BRIDGE].replace("tkp", "tkf")),
  ],
  [
    "the bridge of another network",
    "RENDERED_NETWORK",
    (s) => (net(s, NET).options[BRIDGE] = net(s, "broker_publish").options[BRIDGE]),
  ],
  [
    "a further option of a flow's network",
    "RENDERED_NETWORK",
    (s) => (net(s, NET).options["com.docker.network.bridge.host_binding_ipv4"] = "0.0.0.0"),
  ],
  ["a network of another deployment", "RENDERED_NETWORK", (s) => (label(net(s, NET), "deployment").value = "prod")],
  ["a network of another tenant", "RENDERED_NETWORK", (s) => (label(net(s, NET), "tenant").value = "other")],
  ["a network of another state", "RENDERED_NETWORK", (s) => (label(net(s, NET), "state").value = "0".repeat(16))],
  ["a network for another purpose", "RENDERED_NETWORK", (s) => (label(net(s, NET), "network").value = "x -> y.z")],
  ["a further label of a network", "RENDERED_NETWORK", (s) => net(s, NET).labels.push({ label: "x", value: "y" })],
  ["a label of a network twice", "RENDERED_NETWORK", (s) => again(net(s, NET).labels)],
  [
    "a label of a network twice, the right one last",
    "RENDERED_NETWORK",
    (s) => net(s, NET).labels.unshift({ label: "trustkern.tenant", value: "other" }),
  ],
  ["a member of a network's label", "RENDERED_ATTRIBUTE", (s) => (net(s, NET).labels[0].extra = "x")],
  ["labels of a network as a text", "RENDERED_SHAPE", (s) => (net(s, NET).labels = "trustkern")],
  ["a label twice", "RENDERED_CONTAINER", (s) => again(box(s).labels)],
  [
    "a label twice, the right one last",
    "RENDERED_CONTAINER",
    (s) => box(s).labels.unshift({ label: "trustkern.component", value: "custody" }),
  ],
  ["a further label", "RENDERED_CONTAINER", (s) => box(s).labels.push({ label: "traefik.enable", value: "true" })],
  [
    "a label called like a prototype",
    "RENDERED_CONTAINER",
    (s) => box(s).labels.push({ label: "__proto__", value: "" }),
  ],
  ["a label too few", "RENDERED_CONTAINER", (s) => box(s).labels.pop()],
  ["a label as a list", "RENDERED_CONTAINER", (s) => (label(box(s), "zone").value = [label(box(s), "zone").value])],
  ["a member of a label", "RENDERED_ATTRIBUTE", (s) => (box(s).labels[0].extra = "x")],
  ["labels as a text", "RENDERED_SHAPE", (s) => (box(s).labels = "trustkern")],
  ["another configuration", "RENDERED_CONTAINER", (s) => (label(box(s), "config").value = "0".repeat(64))],
  [
    "the configuration of another component",
    "RENDERED_CONTAINER",
    (s) => (label(box(s), "config").value = label(box(s, "custody"), "config").value),
  ],
  ["a health check once a day", "RENDERED_HEALTH", (s) => (box(s).healthcheck.interval = "24h0m0s")],
  ["a health check of any length", "RENDERED_HEALTH", (s) => (box(s).healthcheck.timeout = "24h0m0s")],
  ["an illness that does not count", "RENDERED_HEALTH", (s) => (box(s).healthcheck.retries = 1_000_000)],
  ["a start that takes a day", "RENDERED_HEALTH", (s) => (box(s).healthcheck.start_period = "24h0m0s")],
  ["the start of another component", "RENDERED_HEALTH", (s) => (box(s, "grafana").healthcheck.start_period = "30s")],
  ["a health check at the engine's pace", "RENDERED_HEALTH", (s) => delete box(s).healthcheck.interval],
  ["a pace for a job", "RENDERED_HEALTH", (s) => (box(s, "schema").healthcheck.interval = "5s")],
  ["a further health check", "RENDERED_SHAPE", (s) => (box(s).healthcheck = [box(s).healthcheck, { test: ["NONE"] }])],
  ["another gateway", "RENDERED_NETWORK", (s) => (net(s, NET).ipam_config[0].gateway = "203.0.113.1")],
  ["no gateway", "RENDERED_NETWORK", (s) => delete net(s, NET).ipam_config[0].gateway],
  ["a subnet of the engine's choice", "RENDERED_NETWORK", (s) => delete net(s, NET).ipam_config],
  ["a free subnet of the pool", "RENDERED_NETWORK", (s) => (net(s, NET).ipam_config[0].subnet = "10.213.0.0/29")],
  ["a larger subnet", "RENDERED_NETWORK", (s) => (net(s, NET).ipam_config[0].subnet = "10.213.0.0/16")],
  [
    "a further subnet",
    "RENDERED_NETWORK",
    (s) => net(s, NET).ipam_config.push({ subnet: "10.213.0.0/29", gateway: "10.213.0.1" }),
  ],
  ["a flow without a network", "RENDERED_NETWORK", (s) => delete s.resource.docker_network[NET]],
  ["a port without a network", "RENDERED_NETWORK", (s) => delete s.resource.docker_network.broker_publish],
  ["no networks", "RENDERED_NETWORK", (s) => delete s.resource.docker_network],
  ["no containers", "RENDERED_CONTAINER", (s) => delete s.resource.docker_container],
  ["an image too few", "RENDERED_IMAGE", (s) => delete s.resource.docker_image.collector],
  ["no images", "RENDERED_IMAGE", (s) => delete s.resource.docker_image],
  ["no mounts", "RENDERED_MOUNT", (s) => delete box(s).mounts],
  ["an empty list of mounts", "RENDERED_MOUNT", (s) => (box(s).mounts = [])],
  ["a mount too few", "RENDERED_MOUNT", (s) => box(s).mounts.pop()],
  ["a mount twice", "RENDERED_MOUNT", (s) => again(box(s).mounts)],
  ["a volume that may not be written", "RENDERED_MOUNT", (s) => (mount(s, "volumes/").read_only = true)],
  ["a volume of which nothing is said", "RENDERED_MOUNT", (s) => delete mount(s, "volumes/").read_only],
  ["no ports", "RENDERED_PORT", (s) => delete box(s, "broker").ports],
  ["an empty list of ports", "RENDERED_PORT", (s) => (box(s, "broker").ports = [])],
  ["a port twice", "RENDERED_PORT", (s) => again(box(s, "broker").ports)],
  ["whom to trust left out", "RENDERED_ENVIRONMENT", (s) => delete box(s, "gateways-ca").env],
  ["a variable twice", "RENDERED_ENVIRONMENT", (s) => again(box(s, "gateways-ca").env)],
  ["no folder in memory", "RENDERED_TMPFS", (s) => delete box(s, "gateways-ca").tmpfs],
  ["networks as a list", "RENDERED_SHAPE", (s) => (s.resource.docker_network = [s.resource.docker_network])],
  ["containers of nothing", "RENDERED_SHAPE", (s) => (s.resource.docker_container = null)],
  ["a container of no component", "RENDERED_CONTAINER", (s) => (s.resource.docker_container.evil = box(s))],
  ["a component without a container", "RENDERED_CONTAINER", (s) => delete s.resource.docker_container.custody],
  ["a container of another name", "RENDERED_CONTAINER", (s) => (box(s).name = "kollektor")],
  ["a label that lies", "RENDERED_CONTAINER", (s) => (box(s).labels[3].value = "edge")],
  ["a service of a swarm", "RENDERED_ELEMENT", (s) => (s.resource.docker_service = { x: { name: "x" } })],
  [
    "a secret of a swarm",
    "RENDERED_ELEMENT",
    (s) => (s.resource.docker_secret = { x: { name: "x", data: "aHVudGVy" } }),
  ],
  ["a configuration of a swarm", "RENDERED_ELEMENT", (s) => (s.resource.docker_config = { x: { data: "" } })],
  ["a data source", "RENDERED_ELEMENT", (s) => (s.data = { docker_logs: { x: { name: "custody" } } })],
  ["an output", "RENDERED_ELEMENT", (s) => (s.output = { x: { value: "1" } })],
  ["a module", "RENDERED_ELEMENT", (s) => (s.module = { x: { source: "./evil" } })],
  ["a program of the host", "RENDERED_ATTRIBUTE", (s) => (box(s).provisioner = [{ "local-exec": { command: "id" } }])],
  ["a change that is not seen", "RENDERED_ATTRIBUTE", (s) => (box(s).lifecycle = { ignore_changes: "all" })],
  ["a file of the host", "RENDERED_EXPRESSION", (s) => (box(s).labels[0].value = `${pipe}file("/etc/shadow")}`)],
  ["an expression as a name", "RENDERED_EXPRESSION", (s) => (box(s).log_opts[`${pipe}file("/x")}`] = "1")],
  ["another provider", "RENDERED_PROVIDER", (s) => (s.terraform.required_providers.docker.source = "evil/docker")],
  ["a provider of any release", "RENDERED_PROVIDER", (s) => delete s.terraform.required_providers.docker.version],
  ["a further provider", "RENDERED_PROVIDER", (s) => (s.terraform.required_providers.null = { source: "x/null" })],
  ["another machine", "RENDERED_PROVIDER", (s) => (s.provider.docker[0].host = "tcp://203.0.113.1:2375")],
  ["a registry's password", "RENDERED_PROVIDER", (s) => (s.provider.docker[0].registry_auth = { password: "x" })],
  ["a state of another place", "RENDERED_BACKEND", (s) => (s.terraform.backend.local.path = "/tmp/x")],
  ["a state of another kind", "RENDERED_BACKEND", (s) => (s.terraform.backend = { http: { address: "http://x" } })],
  ["a resource that is a list", "RENDERED_SHAPE", (s) => (s.resource = [s.resource])],
  ["a container that is a list", "RENDERED_SHAPE", (s) => (s.resource.docker_container.collector = [box(s)])],
];

describe("refuses", () => {
  const { json, context } = rendered(dev);

  it.each(WEAKENINGS)("%s", (_, code, weaken) => {
    const stack = structuredClone(json);
    weaken(stack);
    expect(JSON.stringify(stack)).not.toBe(JSON.stringify(json));
    const findings = checkRendered(stack, context);
    expect(findings.map((found) => found.code)).toContain(code);
    expect(findings.every(({ path, message, fix }) => path && message && fix)).toBe(true);
  });

  it("an attribute that it does not know, on any container and network", () => {
    const kinds = ["docker_container", "docker_network"] as const;
    const known = new Set(kinds.flatMap((kind) => Object.values<Loose>(json.resource[kind]).flatMap(Object.keys)));
    const place = fc.constantFrom(...kinds.flatMap((kind) => Object.keys(json.resource[kind]).map((id) => [kind, id])));
    const strange = fc.constantFrom("__proto__", "constructor", "to_string", "has_own_property");
    const attribute = fc.oneof(fc.stringMatching(/^[a-z_]{1,20}$/), strange).filter((name) => !known.has(name));
    fc.assert(
      fc.property(place, attribute, fc.jsonValue(), ([kind = "", id = ""], name, value) => {
        const stack = structuredClone(json);
        // As JSON.parse does: `__proto__` becomes a member as any other.
        Object.defineProperty(stack.resource[kind][id], name, { value, enumerable: true });
        expect(checkRendered(stack, context).map(({ path }) => path)).toContain(`resource.${kind}.${id}.${name}`);
      }),
      { numRuns: 60, examples: [[["docker_container", "collector"], "__proto__", { privileged: true }]] },
    );
  });

  it.each([
    ["docker_container", "broker"],
    ["docker_container", "gateways-ca"],
    ["docker_network", "broker_publish"],
  ])("a %s, %s, that lacks any of what it has", (kind, id) => {
    const names = Object.keys(json.resource[kind][id]).filter((name) => name !== "//");
    const silent = names.filter((name) => {
      const stack = structuredClone(json);
      delete stack.resource[kind][id][name];
      return checkRendered(stack, context).length === 0;
    });
    expect(silent).toEqual(names.filter((name) => json.resource[kind][id][name].length === 0));
  });

  it.each([undefined, null, [], "stack", 1, { resource: null }, { resource: { docker_container: [] } }])(
    "%j",
    (stack) => {
      expect(checkRendered(stack, context)).not.toEqual([]);
    },
  );

  it.each(["access_key", "secret_key", "token", "profile"])("credentials of a state by %s", (member) => {
    const { json: stack, context: hosted } = rendered(euHosted);
    stack.terraform.backend.s3[member] = "x";
    expect(checkRendered(stack, hosted).map(({ code }) => code)).toContain("RENDERED_SECRET");
  });

  it("a state that is not encrypted or not locked", () => {
    const { json: stack, context: hosted } = rendered(euHosted);
    stack.terraform.backend.s3.encrypt = false;
    delete stack.terraform.backend.s3.use_lockfile;
    expect(checkRendered(stack, hosted).map(({ code }) => code)).toEqual(["RENDERED_BACKEND", "RENDERED_BACKEND"]);
  });

  it.each([":latest", "", "@sha256:short"])("an image without a lock that ends in %j", (end) => {
    const { json: stack, context: unlocked } = rendered(dev, false);
    box(stack).image = `registry.example/collector${end}`;
    expect(checkRendered(stack, unlocked).map(({ code }) => code)).toContain("RENDERED_IMAGE_UNPINNED");
  });
});

it("tells no value of a variable in its findings", () => {
  const { json, context } = rendered(dev);
  box(json).env = ["DB_PASSWORD=hunter2-canary"];
  expect(JSON.stringify(checkRendered(json, context))).not.toContain("hunter2-canary");
});

it("tells no value of a label in its findings", () => {
  const { json, context } = rendered(dev);
  box(json).labels[0].value = "hunter2-canary";
  expect(JSON.stringify(checkRendered(json, context))).not.toContain("hunter2-canary");
});
