import type { Finding } from "../../../shared/finding.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import { isAttributes, named, shown } from "../../docker/check/subject.ts";
import { objectErrors } from "./errors.ts";

/** Codes of this check's findings. */
export type ObjectCode = keyof typeof objectErrors.entries;

/** One finding of the check. */
export function finding(code: ObjectCode, path: string, message: string): Finding {
  return { code, path, message, fix: objectErrors.entries[code].fix };
}

/** What a path is about, the first that fits. */
const CODES: readonly (readonly [path: RegExp, code: ObjectCode])[] = [
  [/^NetworkPolicy\//, "OBJECT_POLICY"],
  [/^ConfigMap\/[^ ]+\.(data|binaryData|immutable)/, "OBJECT_CONFIG"],
  [/pod-security/, "OBJECT_SECURITY"],
  [/\.(labels|annotations)\b/, "OBJECT_LABEL"],
  [/automountServiceAccountToken|serviceAccount|imagePullSecrets|^ServiceAccount\//, "OBJECT_TOKEN"],
  [
    /securityContext|\.host(Network|PID|IPC|Users|Aliases)|shareProcessNamespace|runtimeClassName|ephemeralContainers/,
    "OBJECT_SECURITY",
  ],
  [/\.(volumes|volumeMounts|volumeDevices|volumeClaimTemplates)\b/, "OBJECT_MOUNT"],
  [/\.(image|imagePullPolicy)$/, "OBJECT_IMAGE"],
  [/Probe\b/, "OBJECT_HEALTH"],
  [/\.resources\b/, "OBJECT_LIMIT"],
  [/\.(command|args|env|envFrom|workingDir|lifecycle|initContainers)\b/, "OBJECT_COMMAND"],
  [/^Service\//, "OBJECT_SERVICE"],
  [/\.(dnsPolicy|dnsConfig|enableServiceLinks|ports)\b/, "OBJECT_SERVICE"],
  [/^(PodDisruptionBudget|HorizontalPodAutoscaler)\//, "OBJECT_RUNNING"],
  [
    /\.(replicas|updateStrategy|strategy|minReadySeconds|podManagementPolicy|persistentVolumeClaimRetentionPolicy|terminationGracePeriodSeconds|restartPolicy|backoffLimit|topologySpreadConstraints)\b/,
    "OBJECT_RUNNING",
  ],
];

function codeOf(path: string): ObjectCode {
  return CODES.find(([known]) => known.test(path))?.[1] ?? "OBJECT_MEMBER";
}

/** Members of a list's elements that say which one each is. */
const KEYS = ["mountPath", "name", "topologyKey"] as const;

/**
 * Everything in which a value is not what it should be, by its path. What is not expected is refused whatever it says; of what
 * stands in its place the length is told and not the text, since anything could stand there.
 */
export function differences(value: unknown, expected: unknown, path: string): readonly Finding[] {
  if (isAttributes(expected)) return ofObjects(value, expected, path);
  if (Array.isArray(expected)) return ofLists(value, expected, path);
  if (stableJson(value) === stableJson(expected)) return [];
  const accepted = /^ConfigMap\//.test(path) ? "what the model renders" : named(expected);
  return [finding(codeOf(path), path, `is ${shown(value)}; accepted: ${accepted}`)];
}

function ofObjects(value: unknown, expected: Readonly<Record<string, unknown>>, path: string): readonly Finding[] {
  if (!isAttributes(value)) return [finding(codeOf(path), path, `is ${shown(value)}; accepted: an object`)];
  const known = Object.keys(expected);
  return [
    ...Object.keys(value)
      .filter((key) => !Object.hasOwn(expected, key))
      .map((key) =>
        finding(
          codeOf(`${path}.${key}`),
          `${path}.${key}`,
          `is in no object of ours; accepted: ${known.join(", ") || "none"}`,
        ),
      ),
    ...known.flatMap((key) =>
      Object.hasOwn(value, key)
        ? differences(value[key], expected[key], `${path}.${key}`)
        : [finding(codeOf(`${path}.${key}`), `${path}.${key}`, "is missing")],
    ),
  ];
}

function ofLists(value: unknown, expected: readonly unknown[], path: string): readonly Finding[] {
  if (!Array.isArray(value)) return [finding(codeOf(path), path, `is ${shown(value)}; accepted: a list`)];
  const key = KEYS.find(
    (known) => expected.length > 0 && expected.every((each) => isAttributes(each) && Object.hasOwn(each, known)),
  );
  if (key === undefined) {
    if (stableJson(value) === stableJson(expected)) return [];
    const longest = Math.max(value.length, expected.length);
    return Array.from({ length: longest }, (_, index) => index).flatMap((index) => {
      const at = `${path}[${index}]`;
      if (index >= expected.length)
        return [finding(codeOf(at), at, `is ${shown(value[index])}; accepted: nothing more`)];
      return index < value.length
        ? differences(value[index], expected[index], at)
        : [finding(codeOf(at), at, "is missing")];
    });
  }
  const keyOf = (each: unknown) => (isAttributes(each) ? each[key] : undefined);
  const wanted = new Map(expected.map((each) => [keyOf(each), each]));
  const seen = new Set<unknown>();
  const wrong = value.flatMap((each: unknown, index) => {
    const at = `${path}[${index}]`;
    const is = keyOf(each);
    if (seen.has(is)) return [finding(codeOf(at), at, `${named(is)} is there more than once`)];
    seen.add(is);
    if (!wanted.has(is))
      return [
        finding(codeOf(at), at, `${named(is)} is none of the component's; accepted: ${named([...wanted.keys()])}`),
      ];
    return differences(each, wanted.get(is), at);
  });
  const missing = [...wanted.keys()].filter((each) => !seen.has(each));
  return [...wrong, ...missing.map((each) => finding(codeOf(path), path, `${named(each)} is missing`))];
}
