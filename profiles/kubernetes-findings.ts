import type { Finding } from "../shared/finding.ts";
import { engineOf } from "./key-findings.ts";
import { shown } from "./schema-findings.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

/** Kinds of keys that are reached over a network, and what says where. */
const SERVERS: readonly (readonly [path: string, kinds: readonly string[], member: string])[] = [
  ["custody.kind", ["vault", "aws-kms"], "kubernetes.keys"],
  ["pki.issuing.kind", ["aws-kms"], "kubernetes.issuingKeys"],
];
/** Those that are on a machine, of which a pod under PodSecurity `restricted` sees nothing. */
const ON_A_MACHINE: readonly unknown[] = ["pkcs11", "tpm2"];
/** Those that several custodies can share: each asks the server by itself. */
const SHARED: readonly unknown[] = ["vault", "aws-kms"];
const AUTHORITIES = ["gateways-ca", "operators-ca"] as const;

/** What is contradictory in `kubernetes`, or lacks what a network policy needs, or is out of a pod's reach. */
export function kubernetesFindings(source: YamlSource): readonly Finding[] {
  const said = (path: string): unknown => valueAt(source.value, path.split("."));
  const at = (path: string, message: string, fix: string, code = "CONFIG_KUBERNETES"): Finding => ({
    ...{ code, path, message, fix },
    ...source.valueAt(path.split(".")),
  });
  const engine = engineOf(source);
  if (engine !== "kubernetes") {
    if (said("kubernetes") === undefined || engine === undefined) return [];
    return [at("kubernetes", `has no meaning: the engine is ${engine}`, "leave it out, or say engine: kubernetes")];
  }
  const [min, max] = [said("kubernetes.collector.min") ?? 2, said("kubernetes.collector.max")];
  const replicas = said("kubernetes.custody.replicas");
  return [
    ...(typeof min === "number" && typeof max === "number" && min > max
      ? [at("kubernetes.collector.max", `${max} is less than kubernetes.collector.min, ${min}`, "say at least as many")]
      : []),
    ...(typeof replicas === "number" && replicas > 1 && !SHARED.includes(said("custody.kind")) && !source.partial
      ? [
          at(
            "kubernetes.custody.replicas",
            `${replicas} custody services share keys that a server wraps, and custody.kind is ${shown(said("custody.kind"))}; accepted: vault, aws-kms`,
            "keep the keys under a wrapping key of a server, or say 1 custody",
          ),
        ]
      : []),
    ...reach(said, at, source.partial),
    ...onMachines(said, at),
  ];
}

type Said = (path: string) => unknown;
type At = (path: string, message: string, fix: string, code?: string) => Finding;

function reach(said: Said, at: At, partial: boolean): readonly Finding[] {
  return SERVERS.flatMap(([path, kinds, member]) => {
    const kind = said(path);
    const needed = kinds.some((each) => each === kind);
    const there = said(member) !== undefined;
    if (needed && !there && !partial) {
      const why = `there is nothing, and ${path} is ${shown(kind)}: no pod leaves its namespace by a name that no policy can say`;
      return [at(member, why, `add ${member} with addresses, or with namespace and labels`)];
    }
    if (needed || !there) return [];
    return [at(member, `has no meaning: ${path} is ${shown(kind)}; accepted: ${kinds.join(", ")}`, "leave it out")];
  });
}

function onMachines(said: Said, at: At): readonly Finding[] {
  const issuedElsewhere = AUTHORITIES.every((name) => said(`kubernetes.external.${name}`) !== undefined);
  const out = (path: string, accepted: string) => {
    const kind = said(path);
    if (!ON_A_MACHINE.includes(kind)) return [];
    const message = `${shown(kind)} is out of reach: a pod under PodSecurity restricted has no socket and no device of its node; accepted: ${accepted}`;
    return [at(path, message, "keep the keys in a server, or take the engine docker", "CONFIG_ENGINE_KEYS")];
  };
  return [
    ...out("custody.kind", "vault, aws-kms, and where the profile allows it file"),
    ...(issuedElsewhere
      ? []
      : out("pki.issuing.kind", "aws-kms, or any kind with kubernetes.external.gateways-ca and operators-ca")),
  ];
}
