import type { Flow } from "../../../model/flow.ts";
import { serverName } from "../../../model/placement.ts";
import { byDigest } from "../images.ts";
import { publishedPorts } from "../ports.ts";
import {
  blocks,
  finding,
  misshapen,
  named,
  onceEach,
  only,
  type Rule,
  type Subject,
  shown,
  strangers,
} from "./subject.ts";

const TAGGED = /^[a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** Names of variables that are called like a secret: one may hold the path of a file ({@link PATH}), and nothing else. */
export const SECRET_NAME = /(pass(word|phrase|wd)?|secret|token|credential|private|api_?key|_key)$/i;
/** Absolute path of a file. */
export const PATH = /^\/[A-Za-z0-9._/-]+$/;

interface Membership {
  readonly listens: boolean;
  /** Its address in the network. */
  readonly address: string | undefined;
}

/** The networks that a container is to be joined to, by id: of its own flows, and the one that publishes its ports. */
export function ownNetworks({ component, model, networks }: Subject): ReadonlyMap<string, Membership> {
  const { name, ports } = component;
  const flows = model.flows.filter((flow) => isNetworked(flow) && (flow.from === name || flow.to === name));
  const own = new Map(flows.map(({ from, to, port }) => [`${from}_${to}_${port}`, to === name]));
  if (ports.some(({ publish }) => publish)) own.set(`${name}_publish`, true);
  const planned = new Map(networks.map(({ id, addresses }) => [id, addresses[name]]));
  return new Map([...own].map(([id, listens]) => [id, { listens, address: planned.get(id) }]));
}

/** Whether data of a flow crosses a network. */
export function isNetworked({ protection, byEngine }: Flow): boolean {
  return protection !== "unix" && !byEngine;
}

const networksRule: Rule = (value, subject) => {
  const path = `${subject.path}.networks_advanced`;
  const joined = blocks(value);
  if (joined === undefined) return misshapen(path, "a list of networks", value);
  const own = ownNetworks(subject);
  const alias = serverName(subject.component.name, subject.deployment.tenant);
  const ids = joined.map(({ name }) => networkIdOf(name));
  const wrong = joined.flatMap((network, index) => {
    const at = `${path}[${index}]`;
    const member = own.get(ids[index] ?? "");
    const foreign = `${named(network.name)} is the network of no flow of "${subject.component.name}"`;
    const aliases = member?.listens ? [alias] : undefined;
    return [
      ...strangers(network, ["name", "aliases", "ipv4_address"], at),
      ...(member === undefined ? [finding("RENDERED_NETWORK_MEMBER", at, foreign)] : []),
      ...only("RENDERED_NAME", `networks_advanced[${index}].aliases`, () => aliases, named)(network.aliases, subject),
      ...only(
        "RENDERED_ADDRESS",
        `networks_advanced[${index}].ipv4_address`,
        () => member?.address,
        named,
      )(network.ipv4_address, subject),
    ];
  });
  return [...wrong, ...onceEach("RENDERED_NETWORK_MEMBER", path, ids, [...own.keys()])];
};

// A container of mode "bridge" without a network of its own would be joined to Docker's default one, as all such are.
function networkIdOf(name: unknown): string {
  const match = typeof name === "string" ? /^\$\{docker_network\.([a-z0-9_-]+)\.id\}$/.exec(name) : null;
  return match?.[1] ?? named(name);
}

const portsRule: Rule = (value, subject) => {
  const path = `${subject.path}.ports`;
  const ports = blocks(value);
  if (ports === undefined) return misshapen(path, "a list of ports", value);
  const { component, deployment, model } = subject;
  const address = deployment.docker.publishAddress;
  const own = publishedPorts(model.components, deployment).filter(
    (published) => published.component === component.name,
  );
  const wrong = ports.flatMap((rendered, index) => {
    const at = `${path}[${index}]`;
    const { ip, internal, external, protocol } = rendered;
    const declared = own.some(
      ({ port, external: outside }) => port.port === internal && outside === external && port.protocol === protocol,
    );
    return [
      ...strangers(rendered, ["ip", "internal", "external", "protocol"], at),
      ...(declared
        ? []
        : [
            finding(
              "RENDERED_PORT",
              at,
              `publishes ${named({ ip, internal, external, protocol })}, which the model does not`,
            ),
          ]),
      ...(ip === address ? [] : [finding("RENDERED_PORT", at, `listens on ${named(ip)}; accepted: "${address}"`)]),
    ];
  });
  const given = ports.map(({ internal, external, protocol }) => `${external}:${internal}/${protocol}`);
  const declared = own.map(({ port, external }) => `${external}:${port.port}/${port.protocol}`);
  return [...wrong, ...onceEach("RENDERED_PORT", path, given, declared)];
};

const imageRule: Rule = (value, subject) => {
  const { component, images } = subject;
  const path = `${subject.path}.image`;
  const name = component.image ?? "";
  const pin = images.images[name];
  if (pin?.digest !== undefined) {
    const locked = images.source === "registry" ? `\${docker_image.${name}.image_id}` : pin.digest;
    return only("RENDERED_IMAGE", "image", () => locked)(value, subject);
  }
  // Whether an image that no lock names may run is decided where it is deployed: a plan can be made before the lock.
  if (typeof value === "string" && TAGGED.test(value) && !value.endsWith(":latest")) {
    return only("RENDERED_IMAGE", "image", () => pin?.reference)(value, subject);
  }
  return [
    finding("RENDERED_IMAGE_UNPINNED", path, `is ${shown(value)}; accepted: a digest, or a tag other than latest`),
  ];
};

/** The reference by which an image is pulled, where the lock says one. */
export function lockedReference(name: string, { images }: Pick<Subject, "images">): string | undefined {
  const pin = images.images[name];
  if (pin?.digest === undefined || images.source !== "registry") return undefined;
  return byDigest({ reference: pin.reference, digest: pin.digest });
}

const environmentRule: Rule = (value, subject) => {
  const path = `${subject.path}.env`;
  if (value !== undefined && !Array.isArray(value)) return misshapen(path, "a list of NAME=value", value);
  const variables = subject.component.environment ?? {};
  const declared = Object.entries(variables).map(([name, text]) => `${name}=${text}`);
  const entries = (value ?? []) as readonly unknown[];
  const names = entries.map((entry) => String(entry).split("=")[0] ?? "");
  const wrong = entries.flatMap((entry) => {
    const [name = "", ...rest] = String(entry).split("=");
    const text = rest.join("=");
    const strange = `${name} is none of the component's variables, or has another value`;
    return [
      ...(declared.includes(String(entry)) ? [] : [finding("RENDERED_ENVIRONMENT", path, strange)]),
      ...(SECRET_NAME.test(name) && !PATH.test(text)
        ? [finding("RENDERED_SECRET", path, `${name} holds a value; accepted: the path of a file`)]
        : []),
    ];
  });
  return [...wrong, ...onceEach("RENDERED_ENVIRONMENT", path, names, Object.keys(variables))];
};

const networked = (subject: Subject) => ownNetworks(subject).size > 0;

/** What a container can reach, by whom it is reached, and what it runs. */
export const accessRules: Readonly<Record<string, Rule>> = {
  networks_advanced: networksRule,
  network_mode: only(
    "RENDERED_NAMESPACE",
    "network_mode",
    (subject) => (networked(subject) ? "bridge" : "none"),
    named,
  ),
  dns: only("RENDERED_NAME", "dns", (subject) => (networked(subject) ? ["127.0.0.1"] : undefined)),
  dns_opts: only("RENDERED_NAME", "dns_opts", (subject) =>
    networked(subject) ? ["timeout:1", "attempts:2"] : undefined,
  ),
  ports: portsRule,
  image: imageRule,
  env: environmentRule,
};
