import type { Engine } from "../model/deployment.ts";
import type { Profile } from "./profile.ts";
import { renderRule } from "./rule.ts";
import { kubernetesCustodyFor, kubernetesEgress, kubernetesFor, kubernetesPkiFor } from "./template-kubernetes.ts";
import { boundaryFor, CUSTODY_DEV, custodyFor, dockerFor, PKI_DEV, pkiFor } from "./template-parts.ts";

/** What a new `trustkern.yaml` is made from. */
export interface TemplateValues {
  readonly engine: Engine;
  readonly name: string;
  readonly tenant: string;
  /** Name of the schema file beside it. */
  readonly schemaName: string;
}

/** A list that a line of a comment has room for. */
function brief(accepted: string): string {
  return accepted.length > 60 ? "see trustkern profile explain" : accepted;
}

/** A commented `trustkern.yaml` for a profile; what a required value is stays to be filled in. */
export function renderTemplate(profile: Profile, values: TemplateValues): string {
  const { region, account, operator } = profile.defaults.hosting ?? {};
  const hint = (path: string) => {
    const constraint = profile.constraints.find((candidate) => candidate.path === path);
    return constraint ? `# ${brief(renderRule(constraint.rule))}: ${constraint.reason}` : "#";
  };
  const { engine } = values;
  const published = engine === "docker" || engine === "kubernetes";
  const { sensors, ratePerSecond } = { sensors: 0, ratePerSecond: 5, ...profile.defaults.simulator };
  return `# yaml-language-server: $schema=./${values.schemaName}
# ${profile.summary}
# trustkern config show prints every default; trustkern profile explain ${profile.name} the reasons.

name: ${values.name}
tenant: ${values.tenant}
profile: ${profile.name}

${hint("engine")}
engine: ${engine}

# Where ingress, decryption and operations run.
hosting:
  ${hint("hosting.region")}
  region: ${region ?? ""}
  ${hint("hosting.account")}
  account: ${account ?? ""}
  ${hint("hosting.operator")}
  operator: ${operator ?? ""}

# Common names of the gateways' certificates.
gateways: [gw-01]
# Names of gateways on machines of their own: trustkern gateway export makes the kit of one.
# gatewaysElsewhere: [gw-07]

simulator:
  ${hint("simulator.sensors")}
  sensors: ${sensors}
  ratePerSecond: ${ratePerSecond}

# ${published ? "Published ports are the usual ones" : "Ports are free ones"} unless they are named.
# ports:
#   broker: 8883
#   backend: 8443
${published ? "" : "#   database: 5432\n"}#   gateway: 5683
${published ? "#   gateways-ca: 9000\n#   operators-ca: 9001\n#   grafana: 3000\n" : ""}
${engineParts(profile, values, hint)}# Whole numbers with s, m, h, d; sizes with KiB, MiB, GiB.
retention:
  telemetry: 365d
  raw: 30d
  quarantine: 64MiB
`;
}

/** What depends on the engine: where images come from, what reaches out, and where keys are. */
function engineParts(profile: Profile, { engine, name }: TemplateValues, hint: (path: string) => string): string {
  if (engine === "kubernetes") {
    const boundary = boundaryFor(profile, hint, kubernetesEgress(profile));
    const pki = kubernetesPkiFor(profile, hint("pki.issuing.kind"));
    return `${kubernetesFor(profile, name, hint)}${boundary}${pki}${kubernetesCustodyFor(profile, hint)}`;
  }
  const docker = engine === "docker" ? dockerFor(profile, name, hint) : "";
  const keys =
    profile.name === "dev"
      ? `${PKI_DEV}${CUSTODY_DEV}`
      : `${pkiFor(hint("pki.issuing.kind"))}${custodyFor(profile, hint)}`;
  return `${docker}${boundaryFor(profile, hint)}${keys}`;
}
