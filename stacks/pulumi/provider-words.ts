import { isAttributes } from "../docker/check/subject.ts";
import type { DockerObject } from "./planned-object.ts";

/** Pulumi's name of an attribute to Terraform's, and for a block that of each of its members. */
interface Words {
  readonly [name: string]: string | readonly [name: string, members: Words];
}

const same = (...names: readonly string[]): Words => Object.fromEntries(names.map((name) => [name, snake(name)]));
const LABELS: Words = { labels: ["labels", same("label", "value")] };

/** Every attribute and member that an object of ours has, and whose plural is Pulumi's own. Maps, such as `logOpts`, have names of their own, which stay. */
const WORDS: Readonly<Record<DockerObject["kind"], Words>> = {
  network: {
    ...same("name", "driver", "internal", "options"),
    ...LABELS,
    ipamConfigs: ["ipam_config", same("subnet", "gateway")],
  },
  image: same("name", "keepLocally"),
  container: {
    ...same("name", "hostname", "image", "user", "readOnly", "securityOpts", "ipcMode", "cgroupnsMode", "memory"),
    ...same("memorySwap", "cpus", "restart", "mustRun", "stopTimeout", "destroyGraceSeconds", "logDriver", "logOpts"),
    ...same("tmpfs", "networkMode", "dns", "dnsOpts"),
    ...LABELS,
    entrypoints: "entrypoint",
    envs: "env",
    capabilities: ["capabilities", { adds: "add", drops: "drop" }],
    devices: ["devices", same("hostPath", "containerPath", "permissions")],
    ulimits: ["ulimit", same("name", "soft", "hard")],
    healthcheck: ["healthcheck", { tests: "test", ...same("interval", "timeout", "retries", "startPeriod") }],
    mounts: ["mounts", same("type", "source", "target", "readOnly")],
    networksAdvanced: ["networks_advanced", same("name", "ipv4Address", "aliases")],
    ports: ["ports", same("ip", "internal", "external", "protocol")],
    // None of ours has these: said in Terraform's word, each is refused under a code of its own.
    groupAdds: "group_add",
    uploads: "upload",
    hosts: "host",
    dnsSearches: "dns_search",
  },
};

const TERRAFORM_KIND = { network: "docker_network", image: "docker_image", container: "docker_container" } as const;

/**
 * The objects as the resources of the Terraform JSON, in whose words the rules of a rendered stack are said. What has no word of ours
 * keeps a name that no rule accepts.
 */
export function terraformResources(objects: readonly DockerObject[]): Readonly<Record<string, unknown>> {
  const byKind = Map.groupBy(objects, ({ kind }) => TERRAFORM_KIND[kind]);
  return Object.fromEntries(
    [...byKind].map(([kind, those]) => [
      kind,
      Object.fromEntries(those.map((object) => [object.name, inTerraform(object.inputs, WORDS[object.kind])])),
    ]),
  );
}

function inTerraform(value: unknown, words: Words): unknown {
  if (Array.isArray(value)) return value.map((member) => inTerraform(member, words));
  if (!isAttributes(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const word = Object.hasOwn(words, name) ? words[name] : undefined;
      if (word === undefined) return [unknownName(name, words), member];
      return typeof word === "string" ? [word, member] : [word[0], inTerraform(member, word[1])];
    }),
  );
}

// `env` is not `envs`: under the name of the one, the other would hide it from the rules.
function unknownName(name: string, words: Words): string {
  const known = Object.values(words).map((word) => (typeof word === "string" ? word : word[0]));
  return known.includes(snake(name)) ? `${name} (no input)` : snake(name);
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A path of a finding, from Terraform's kinds to ours: `container.NAME.…`. */
export function pathOfObject(path: string): string {
  return path.replace(/^resource\.docker_(network|image|container)/, "$1");
}
