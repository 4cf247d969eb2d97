import type { Finding } from "../../../../shared/finding.ts";
import { shown } from "../../../../shared/shown.ts";
import type { ContainerSpec } from "../../../../stacks/docker/containers.ts";
import type { Inspected } from "../../../../stacks/docker/life/inspect.ts";
import type { DockerPlan } from "../../../../stacks/docker/plan.ts";
import type { ObservedContainer } from "../../../../stacks/host/trust/observe.ts";
import type { CheckId } from "../../checks.ts";
import type { CheckResult } from "../../result.ts";
import type { ImageFacts, Observation } from "../observation.ts";
import { breach, count, resultOf } from "../result.ts";
import { expectedCommand, expectedEnvironment, expectedMounts, expectedRights } from "./expected.ts";
import { mountFindings } from "./mount-table.ts";
import { secretIn } from "./secret-in.ts";

type Seen = Pick<Observation, "components" | "everything" | "images" | "mountTables">;

/** A container, with what it should be. */
interface Pair {
  readonly spec: ContainerSpec;
  readonly actual: ObservedContainer;
  readonly inspected: Inspected | undefined;
  readonly image: ImageFacts | undefined;
}

/** Every container sees its own files and folders, as Docker says and, where it can be read, as the kernel does. */
export function judgeMounts(seen: Seen, plan: DockerPlan): CheckResult {
  const kernel = plan.containers.filter(({ name }) => seen.mountTables.has(name)).length;
  return judged("running.mounts", seen, plan, {
    note: `; of ${kernel} the kernel's own list`,
    findings: ({ spec, actual }) => [
      ...differences("RUNNING_MOUNT", `containers.${spec.name}.mounts`, expectedMounts(spec), actual.facts.mounts),
      ...mountFindings(spec, seen.mountTables.get(spec.name)),
    ],
    open: () => [],
  });
}

/** Every container has the environment and the command of its component, and no secret in either; no value is told. */
export function judgeEnvironment(seen: Seen, plan: DockerPlan): CheckResult {
  return judged("running.environment", seen, plan, {
    note: "",
    findings: ({ spec, actual, image }) => {
      const path = `containers.${spec.name}.environment`;
      const secrets = actual.facts.environment.flatMap((variable) => {
        const why = secretIn(variable);
        return why === undefined ? [] : [breach("RUNNING_SECRET", path, `${shown(nameOf(variable))} ${why}`)];
      });
      if (image === undefined) return secrets;
      const variables = namesOnly(expectedEnvironment(spec, image), actual.facts.environment);
      const command = expectedCommand(spec, image);
      const same = JSON.stringify(command) === JSON.stringify(actual.facts.command);
      return [
        ...secrets,
        ...variables.map((message) => breach("RUNNING_ENVIRONMENT", path, message)),
        ...(same ? [] : [breach("RUNNING_ENVIRONMENT", `containers.${spec.name}.command`, "it runs another command")]),
      ];
    },
    open: ({ spec, image }) => (image === undefined ? [`what the image ${spec.image} runs is not known`] : []),
  });
}

/** Every container has the user, the rights and the bounds of its component. */
export function judgeRights(seen: Seen, plan: DockerPlan): CheckResult {
  return judged("running.rights", seen, plan, {
    note: "",
    findings: ({ spec, actual, inspected }) => {
      const path = `containers.${spec.name}`;
      const { rights, devices, user, networks } = actual.facts;
      // Of the runtime the engine has a default, which is none of the component's.
      const own = rights.filter((right) => !right.startsWith("runtime="));
      const hosts = networks.filter((fact) => fact.startsWith("host="));
      return [
        ...differences("RUNNING_RIGHT", `${path}.user`, [spec.user], user),
        ...differences("RUNNING_RIGHT", `${path}.rights`, expectedRights(spec), own),
        ...differences(
          "RUNNING_RIGHT",
          `${path}.devices`,
          spec.devices.map((device) => `${device} (rw)`),
          devices,
        ),
        ...differences("RUNNING_RIGHT", `${path}.hosts`, [], hosts),
        ...(inspected === undefined ? [] : bounds(spec, inspected)),
      ];
    },
    open: () => [],
  });
}

/** Every container runs the image of the lock. */
export function judgeImages(seen: Seen, plan: DockerPlan): CheckResult {
  return judged("running.images", seen, plan, {
    note: "",
    findings: ({ spec, actual, image }) =>
      image === undefined || actual.facts.image[0] === image.id
        ? []
        : [
            breach(
              "RUNNING_IMAGE",
              `containers.${spec.name}.image`,
              `it runs ${shown(actual.facts.image[0] ?? "")}; the lock says ${image.id}`,
            ),
          ],
    open: ({ spec }) => {
      const known = seen.images.get(spec.image);
      return known === undefined ? [`no lock names ${spec.image}`] : "why" in known ? [known.why] : [];
    },
  });
}

interface Rule {
  readonly note: string;
  readonly findings: (pair: Pair) => readonly Finding[];
  readonly open: (pair: Pair) => readonly string[];
}

/** Holds a rule against each container; one that is not there is not proven. */
function judged(id: CheckId, seen: Seen, plan: DockerPlan, rule: Rule): CheckResult {
  const actual = new Map(seen.everything.map((container) => [container.name, container]));
  const pairs = plan.containers.flatMap((spec): readonly Pair[] => {
    const container = actual.get(spec.name);
    const image = seen.images.get(spec.image);
    const facts = image !== undefined && "answer" in image ? image.answer : undefined;
    const inspected = seen.components.get(spec.name)?.container;
    return container === undefined ? [] : [{ spec, actual: container, inspected, image: facts }];
  });
  const missing = plan.containers.filter(({ name }) => !actual.has(name));
  return resultOf(id, {
    looked: `${count(pairs.length, "container")}${rule.note}`,
    findings: pairs.flatMap(rule.findings),
    open: [...missing.map(({ name }) => `${name} is not there`), ...pairs.flatMap(rule.open)],
  });
}

function differences(
  code: "RUNNING_MOUNT" | "RUNNING_RIGHT",
  path: string,
  expected: readonly string[],
  actual: readonly string[],
): readonly Finding[] {
  const more = actual.filter((fact) => !expected.includes(fact)).map((fact) => `has ${shown(fact)}`);
  const less = expected.filter((fact) => !actual.includes(fact)).map((fact) => `lacks ${shown(fact)}`);
  return [...more, ...less].map((message) => breach(code, path, message));
}

function bounds({ name, pids, cpus }: ContainerSpec, { HostConfig }: Inspected): readonly Finding[] {
  const wrong = [
    ...(HostConfig.PidsLimit === pids ? [] : [`its process limit is ${HostConfig.PidsLimit ?? "none"}, not ${pids}`]),
    ...(HostConfig.NanoCpus === cpus * 1e9
      ? []
      : [`it may use ${(HostConfig.NanoCpus ?? 0) / 1e9} cores, not ${cpus}`]),
  ];
  return wrong.map((message) => breach("RUNNING_RIGHT", `containers.${name}.limits`, message));
}

function namesOnly(expected: readonly string[], actual: readonly string[]): readonly string[] {
  const more = actual.filter((variable) => !expected.includes(variable)).map(nameOf);
  const less = expected.filter((variable) => !actual.includes(variable)).map(nameOf);
  return [...new Set([...more, ...less])].map((name) => `the variable ${shown(name)} is not what its component says`);
}

function nameOf(variable: string): string {
  return variable.split("=")[0] ?? "";
}
