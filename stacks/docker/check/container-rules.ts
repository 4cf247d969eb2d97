import { createHash } from "node:crypto";
import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { granted, grantsOf } from "../grants.ts";
import { LABEL, ownerLabels } from "../labels.ts";
import { hostSocket } from "../mounts.ts";
import { accessRules } from "./access-rules.ts";
import { healthRule } from "./health-rules.ts";
import { keyDeviceRule } from "./key-rules.ts";
import { checkLabels } from "./label-rules.ts";
import { mountRule } from "./mount-rules.ts";
import {
  blocks,
  finding,
  isAttributes,
  misshapen,
  named,
  onceEach,
  only,
  type RenderedCode,
  type Rule,
  type Subject,
  shown,
  strangers,
} from "./subject.ts";

const STOP_SECONDS_MAX = 120;

const capabilities: Rule = (value, subject) => {
  const path = `${subject.path}.capabilities`;
  const [block = {}, ...more] = blocks(value) ?? [];
  const added = [block.add ?? []]
    .flat()
    .filter((each) => !granted(subject.component, "capability").includes(String(each)));
  return [
    ...(more.length > 0 ? misshapen(path, "one block", value) : []),
    ...strangers(block, ["add", "drop"], path),
    ...(stableJson(block.drop) === '["ALL"]'
      ? []
      : [finding("RENDERED_CAPABILITY", `${path}.drop`, `is ${shown(block.drop)}; accepted: ["ALL"]`)]),
    ...added.map((capability) => finding("RENDERED_CAPABILITY", `${path}.add`, `${named(capability)} is not granted`)),
  ];
};

const memory: Rule = (value, subject) =>
  atMost("memory", value, subject.component.limits.memoryMiB, subject, Number.isInteger);

const cpus: Rule = (value, subject) =>
  atMost(
    "cpus",
    typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value,
    subject.component.limits.cpus,
    subject,
  );

function atMost(
  name: string,
  value: unknown,
  most: number,
  { path }: Subject,
  valid = Number.isFinite,
): readonly Finding[] {
  if (typeof value === "number" && valid(value) && value > 0 && value <= most) return [];
  return [finding("RENDERED_LIMIT", `${path}.${name}`, `is ${shown(value)}; accepted: more than 0, at most ${most}`)];
}

const seconds =
  (name: string): Rule =>
  (value, { path }) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= STOP_SECONDS_MAX
      ? []
      : misshapen(`${path}.${name}`, `whole seconds, at most ${STOP_SECONDS_MAX}`, value);

const tmpfs: Rule = (value, subject) => {
  const path = `${subject.path}.tmpfs`;
  if (value !== undefined && !isAttributes(value)) return misshapen(path, "a map of folders to options", value);
  const { uid, gid } = subject.runAs;
  const folders = Object.keys(value ?? {});
  const declared = subject.component.scratch.map((scratch) => scratch.path);
  const wrong = Object.entries(value ?? {}).flatMap(([folder, options]) => {
    const scratch = subject.component.scratch.find((declared) => declared.path === folder);
    if (scratch === undefined) return [finding("RENDERED_TMPFS", path, `${named(folder)} is not declared`)];
    const accepted = `rw,noexec,nosuid,nodev,size=${scratch.maxMiB}m,mode=0700,uid=${uid},gid=${gid}`;
    const message = `${named(folder)} has the options ${shown(options)}; accepted: ${accepted}`;
    return options === accepted ? [] : [finding("RENDERED_TMPFS", path, message)];
  });
  return [...wrong, ...onceEach("RENDERED_TMPFS", path, folders, declared)];
};

function logOptions(subject: Subject): Readonly<Record<string, string>> {
  const shipped = subject.model.flows.find(({ from, byEngine }) => from === subject.component.name && byEngine);
  if (shipped === undefined) return { "max-size": "10m", "max-file": "3" };
  return {
    "fluentd-address": `unix://${hostSocket(subject.layout, shipped.to, shipped.port)}`,
    "fluentd-async": "true",
    "fluentd-sub-second-precision": "true",
    tag: "{{.Name}}",
    "cache-max-size": "10m",
    "cache-max-file": "3",
  };
}

const labels: Rule = (value, { component, deployment, layout, path }) => {
  const accepted = {
    ...ownerLabels(deployment, layout),
    [`${LABEL}.component`]: component.name,
    [`${LABEL}.zone`]: component.zone,
    // Without the right one a changed file would not replace the container that mounts it.
    [`${LABEL}.config`]: createHash("sha256").update(stableJson(component.files)).digest("hex"),
  };
  return checkLabels("RENDERED_CONTAINER", value, accepted, `${path}.labels`);
};

const isJob = ({ component }: Subject) => component.health.kind === "exit";
const shipped = ({ component, model }: Subject) =>
  model.flows.some(({ from, byEngine }) => from === component.name && byEngine);

/** Every attribute that a container may have. An attribute that is not here is refused, whatever it says. */
const RULES: Readonly<Record<string, Rule>> = {
  ...accessRules,
  name: only("RENDERED_CONTAINER", "name", ({ component }) => component.name, named),
  hostname: only("RENDERED_NAME", "hostname", ({ component }) => component.name, named),
  entrypoint: only("RENDERED_COMMAND", "entrypoint", ({ component }) => component.command),
  user: only("RENDERED_USER", "user", ({ component, runAs }) =>
    grantsOf(component).has("user:root") ? "0:0" : `${runAs.uid}:${runAs.gid}`,
  ),
  read_only: only("RENDERED_ROOTFS", "read_only", ({ component }) => !grantsOf(component).has("rootfs:writable")),
  capabilities,
  devices: keyDeviceRule,
  security_opts: only("RENDERED_PRIVILEGES_NEW", "security_opts", () => ["no-new-privileges:true"]),
  ipc_mode: only("RENDERED_NAMESPACE", "ipc_mode", () => "private", named),
  cgroupns_mode: only("RENDERED_NAMESPACE", "cgroupns_mode", () => "private", named),
  memory,
  memory_swap: only("RENDERED_LIMIT", "memory_swap", ({ attributes }) => attributes.memory),
  cpus,
  ulimit: only("RENDERED_LIMIT", "ulimit", () => [{ hard: 0, name: "core", soft: 0 }]),
  restart: only("RENDERED_RESTART", "restart", (subject) => (isJob(subject) ? "no" : "unless-stopped"), named),
  must_run: only("RENDERED_RESTART", "must_run", (subject) => !isJob(subject)),
  stop_timeout: seconds("stop_timeout"),
  destroy_grace_seconds: seconds("destroy_grace_seconds"),
  healthcheck: healthRule,
  log_driver: only("RENDERED_LOG", "log_driver", (subject) => (shipped(subject) ? "fluentd" : "local"), named),
  log_opts: only("RENDERED_LOG", "log_opts", logOptions),
  tmpfs,
  mounts: mountRule,
  labels,
};

/** What is refused under a name of its own; any other unknown attribute is refused as unknown. */
const REFUSED: Readonly<Record<string, RenderedCode>> = {
  privileged: "RENDERED_PRIVILEGED",
  device_requests: "RENDERED_PRIVILEGED",
  device_cgroup_rules: "RENDERED_PRIVILEGED",
  gpus: "RENDERED_PRIVILEGED",
  sysctls: "RENDERED_PRIVILEGED",
  cgroup_parent: "RENDERED_PRIVILEGED",
  runtime: "RENDERED_PRIVILEGED",
  group_add: "RENDERED_USER",
  pid_mode: "RENDERED_NAMESPACE",
  userns_mode: "RENDERED_NAMESPACE",
  volumes: "RENDERED_MOUNT",
  upload: "RENDERED_SECRET",
  host: "RENDERED_NAME",
  domainname: "RENDERED_NAME",
  dns_search: "RENDERED_NAME",
  publish_all_ports: "RENDERED_PORT",
  command: "RENDERED_COMMAND",
};

/** Everything that a rendered container has beyond its component. */
export function checkContainer(subject: Subject): readonly Finding[] {
  const { attributes, path } = subject;
  const refused = Object.keys(attributes)
    .filter((name) => name !== "//" && !Object.hasOwn(RULES, name))
    .map((name) => {
      const code = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
      return finding(code ?? "RENDERED_ATTRIBUTE", `${path}.${name}`, "is in no stack of ours");
    });
  return [...refused, ...Object.entries(RULES).flatMap(([name, rule]) => rule(attributes[name], subject))];
}
