import { basename } from "node:path";
import { stableJson } from "../../../shared/stable-json.ts";

/** One thing that an attribute says, in the words of the model. */
export interface Fact {
  /** Such as `memory limit`. */
  readonly what: string;
  /** What is compared. */
  readonly value: string;
  /**
   * What a person sees.
   * @default value
   */
  readonly shown?: string;
}

/** What a network is called in the words of the model, by its name in Docker. */
export type NetworkWords = (dockerName: string) => string;

type Block = Readonly<Record<string, unknown>>;
type ToFacts = (value: unknown, networkWords: NetworkWords) => readonly Fact[];

/** Only `docker_container` has words of its own: a network has few attributes, and their names say what they are. */
const CONTAINER: Readonly<Record<string, ToFacts>> = {
  image: one("image"),
  command: one("command"),
  entrypoint: one("entry point"),
  user: one("user"),
  restart: one("restart policy"),
  cpus: one("CPU limit"),
  memory: (value) => [{ what: "memory limit", value: `${value} MiB` }],
  memory_swap: (value) => [{ what: "memory and swap limit", value: `${value} MiB` }],
  read_only: (value) => [{ what: "root file system", value: value === true ? "read-only" : "writable" }],
  // The provider turns it to false where a container that must run does not.
  must_run: (value) => [{ what: "state", value: value === true ? "running" : "stopped" }],
  privileged: one("privileged"),
  capabilities: one("capabilities"),
  security_opts: one("security options"),
  network_mode: one("network mode"),
  healthcheck: one("health check"),
  log_driver: one("log driver"),
  log_opts: (value) => entries(value).map(([key, option]) => ({ what: `log option ${key}`, value: text(option) })),
  tmpfs: (value) =>
    entries(value).map(([path, options]) => ({ what: `scratch folder ${path}`, value: text(options) || "present" })),
  ulimit: (value) =>
    blocks(value).map(({ name, soft, hard }) => ({
      what: `limit ${text(name)}`,
      value: `${text(soft)}, at most ${text(hard)}`,
    })),
  env: (value) => list(value).map((entry) => environmentFact(text(entry))),
  labels: (value) =>
    blocks(value).map(({ label, value }) => ({
      what: label === "trustkern.config" ? "configuration" : `label ${text(label)}`,
      value: text(value),
    })),
  ports: (value) =>
    blocks(value).map(({ internal, external, ip, protocol }) => ({
      what: `published port of ${text(internal)}/${text(protocol) || "tcp"}`,
      value: `${text(ip) || "0.0.0.0"}:${text(external)}`,
    })),
  mounts: (value) =>
    blocks(value).map(({ target, source, read_only }) => ({
      what: mountWords(text(target)),
      value: `${text(source)} ${read_only === true ? "read-only" : "writable"}`,
    })),
  volumes: (value) =>
    blocks(value).map(({ container_path, host_path, volume_name, read_only }) => ({
      what: mountWords(text(container_path)),
      value: `${text(host_path) || text(volume_name)} ${read_only === true ? "read-only" : "writable"}`,
    })),
  networks_advanced: (value, networkWords) =>
    blocks(value).map(({ name, aliases, ipv4_address }) => ({
      what: `connection to ${networkWords(text(name))}`,
      value:
        [
          ...(list(aliases).length === 0 ? [] : [`as ${list(aliases).map(text).sort().join(", ")}`]),
          ...(text(ipv4_address) === "" ? [] : [`at ${text(ipv4_address)}`]),
        ].join(" ") || "present",
    })),
  // Says where a container is connected now: a connection cut by hand is seen nowhere else.
  network_data: (value, networkWords) =>
    blocks(value).map(({ network_name }) => ({
      what: `connection to ${networkWords(text(network_name))}`,
      value: "present",
    })),
};

const NETWORK: Readonly<Record<string, ToFacts>> = {
  internal: (value) => [{ what: "reach", value: value === true ? "internal" : "outside" }],
  ipam_config: (value) => blocks(value).map(({ subnet }) => ({ what: "subnet", value: text(subnet) })),
};

const WORDS: Readonly<Record<string, Readonly<Record<string, ToFacts>>>> = {
  docker_container: CONTAINER,
  docker_network: NETWORK,
};

/** What one attribute of a resource says; one without words keeps its own name. */
export function factsOf(type: string, attribute: string, value: unknown, networkWords: NetworkWords): readonly Fact[] {
  if (isNothing(value) && value !== false) return [];
  return (WORDS[type]?.[attribute] ?? one(attribute))(value, networkWords);
}

/** A value is the same as none where it is null, empty, zero or false: the provider fills in such values on its own. */
export function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isNothing);
  if (typeof value === "object" && value !== null) return Object.values(value).every(isNothing);
  return value === null || value === undefined || value === "" || value === 0 || value === false;
}

function one(what: string): ToFacts {
  return (value) => (isNothing(value) ? [] : [{ what, value: text(value) }]);
}

/** A value of the environment is never shown: a variable that was set by hand may hold anything. */
function environmentFact(entry: string): Fact {
  const [name = ""] = entry.split("=", 1);
  return { what: `environment variable ${name}`, value: entry, shown: "set" };
}

function mountWords(target: string): string {
  const [, folder] = /^(\/run\/secrets|\/etc\/trustkern|\/var\/lib\/trustkern|\/run\/trustkern)\//.exec(target) ?? [];
  if (folder === "/run/secrets") return `secret "${basename(target)}"`;
  if (folder === "/etc/trustkern") return `configuration file "${basename(target)}"`;
  if (folder === "/var/lib/trustkern") return `volume "${basename(target)}"`;
  if (folder === "/run/trustkern") return `socket "${target.split("/")[3]}"`;
  return `mount at ${target}`;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function blocks(value: unknown): readonly Block[] {
  return list(value).filter((item): item is Block => typeof item === "object" && item !== null);
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(" ");
  return stableJson(withoutNothing(Array.isArray(value) && value.length === 1 ? value[0] : value));
}

function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isNothing(item)).map(withoutNothing);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isNothing(member))
      .map(([key, member]) => [key, withoutNothing(member)]),
  );
}
