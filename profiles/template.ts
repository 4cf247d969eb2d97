import type { Engine } from "../model/deployment.ts";
import type { Profile } from "./profile.ts";
import { renderRule } from "./rule.ts";

/** What a new `trustkern.yaml` is made from. */
export interface TemplateValues {
  readonly engine: Engine;
  readonly name: string;
  readonly tenant: string;
  /** Name of the schema file beside it. */
  readonly schemaName: string;
}

const dockerFor = (name: string) => `# registry: upstream images, pinned by \`trustkern images lock\`.
# packages: built on this machine by \`trustkern images build\`; Grafana cannot be, so say grafana: absent.
images:
  source: registry
  grafana: present

# docker:
#   publishAddress: 127.0.0.1
#   subnets: 10.213.0.0/16
#   tokenSocket: /run/trustkern-${name}/sock
#   custodySocket: /run/trustkern-${name}-custody/sock

# Where OpenTofu keeps its state: local, s3 or http; credentials come from the environment.
# state:
#   backend: local

`;

const PKI_DEV = `# Where the private keys of the authorities are: the root's in an age file, the others' in files.
# pki:
#   root:
#     kind: age

`;

/** What only the operator knows stays to be filled in. */
const pkiFor = (
  hint: string,
) => `# Where the private keys of the authorities are; docs/guides/ceremony.md says how a token is prepared, and
# docs/guides/docker.md how containers reach it: by the socket of p11-kit server on this host, docker.tokenSocket.
pki:
  # age, pkcs11, tpm2: an age file has a passphrase, and belongs on a medium that is offline.
  root:
    kind: age
  issuing:
    ${hint}
    kind: pkcs11
    # Absolute paths of the token's library and of the file with its PIN, and the token's label.
    module:
    token:
    pinFile:

`;

const CUSTODY_DEV = `# Where the decryption keys are: in a file, encrypted with a passphrase that lies in the state directory too.
# custody:
#   kind: file

`;

const custodyFor = ({ defaults }: Profile, hint: (path: string) => string) => {
  const { class: least, owner = "customer", schedule } = defaults.custody ?? {};
  return `# Where the decryption keys are; docs/guides/custody.md says what each kind asks for, and docs/guides/docker.md how
# custody's container reaches a token: by a socket of its own, docker.custodySocket.
custody:
  ${hint("custody.kind")}
  kind: pkcs11
  # Absolute paths of the token's library and of the file with its PIN, and the token's label: another token than above.
  module:
  token:
  pinFile:
  ${hint("custody.owner")}
  owner: ${owner}
  # hardware, virtual, software: custody opens no place of keys that is worse.
  class: ${least}
  schedule:
    ${hint("custody.schedule.rotateEvery")}
    rotateEvery: ${schedule?.rotateEvery}
    overlap: ${schedule?.overlap}

`;
};

/** A commented `trustkern.yaml` for a profile; what a required value is stays to be filled in. */
export function renderTemplate(profile: Profile, values: TemplateValues): string {
  const { region, account, operator } = profile.defaults.hosting ?? {};
  const hint = (path: string) => {
    const constraint = profile.constraints.find((candidate) => candidate.path === path);
    return constraint ? `# ${renderRule(constraint.rule)}: ${constraint.reason}` : "#";
  };
  const { engine } = values;
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

simulator:
  ${hint("simulator.sensors")}
  sensors: ${sensors}
  ratePerSecond: ${ratePerSecond}

# ${engine === "docker" ? "Published ports are the usual ones" : "Ports are free ones"} unless they are named.
# ports:
#   broker: 8883
#   backend: 8443
${engine === "docker" ? "" : "#   database: 5432\n"}#   gateway: 5683
${engine === "docker" ? "#   gateways-ca: 9000\n#   operators-ca: 9001\n#   grafana: 3000\n" : ""}
${engine === "docker" ? dockerFor(values.name) : ""}${profile.name === "dev" ? `${PKI_DEV}${CUSTODY_DEV}` : `${pkiFor(hint("pki.issuing.kind"))}${custodyFor(profile, hint)}`}# Whole numbers with s, m, h, d; sizes with KiB, MiB, GiB.
retention:
  telemetry: 365d
  raw: 30d
  quarantine: 64MiB
`;
}
