import { VENDOR_TELEMETRY } from "../model/deployment.ts";
import { acceptsValue } from "./lines.ts";
import type { Profile } from "./profile.ts";

/** What a section needs to explain itself. */
export type Hint = (path: string) => string;

const IMAGES_DEV = `# registry: upstream images, pinned by \`trustkern images lock\`.
# packages: built on this machine by \`trustkern images build\`; Grafana cannot be, so say grafana: absent.
images:
  source: registry
  grafana: present
`;

/** Images of a profile that has them from elsewhere. */
export const imagesFor = (profile: Profile, hint: Hint) => {
  const asked = (["mirror", "signedBy"] as const).filter((member) =>
    profile.constraints.some(({ path, rule }) => path === `images.${member}` && rule.kind === "required"),
  );
  const members = asked.map((member) => `  ${hint(`images.${member}`)}\n  ${member}:\n`);
  const pulls = profile.defaults.images?.source === "registry" && !asked.includes("mirror");
  const mirror = pulls
    ? "  # Where they are pulled from, if not from their makers' registries; it is on the list of egress.\n  # mirror: registry.example/hub\n"
    : "";
  return `# By digest: \`trustkern images lock\` writes images.lock.yaml beside this file.
images:
  ${hint("images.source")}
  source: ${profile.defaults.images?.source}
  grafana: present
${mirror}${members.join("")}`;
};

const backends = (profile: Profile): string =>
  ["local", "s3", "http"].filter((backend) => acceptsValue(profile, "state.backend", backend)).join(", ");

/** Images, Docker and the state, for the engine `docker`. */
export const dockerFor = (
  profile: Profile,
  name: string,
  hint: Hint,
) => `${profile.name === "dev" ? IMAGES_DEV : imagesFor(profile, hint)}
# docker:
#   publishAddress: 127.0.0.1
#   subnets: 10.213.0.0/16
#   tokenSocket: /run/trustkern-${name}/sock
#   custodySocket: /run/trustkern-${name}-custody/sock

# Where OpenTofu keeps its state: ${backends(profile)}; credentials come from the environment.
# state:
#   backend: local

`;

/** The list of egress: to be filled in where the mode needs one. */
function listFor({ constraints, defaults }: Profile): string {
  if (defaults.egress?.mode === "isolated") {
    const site = "{ host: ntp.internal, port: 123, protocol: udp, purpose: ntp }";
    return `  # With mode restricted:\n  # allow:\n  #   - ${site}\n`;
  }
  const region = constraints.some(({ path }) => path === "egress.allow.*.region") ? ", region: eu-central-1" : "";
  return `  allow:\n    # - { host: registry.example, port: 443, protocol: tcp, purpose: images${region} }\n`;
}

/** What may be reached: the mode, and the list that it needs. */
export interface EgressPart {
  readonly comment: string;
  readonly mode: string | undefined;
  readonly list: string;
}

const egressOfMachine = (profile: Profile): EgressPart => ({
  comment: "Hosts that this machine may reach; nothing in a container reaches any.",
  mode: profile.defaults.egress?.mode,
  list: listFor(profile),
});

/** What may leave, who of the vendor gets in, what the vendor gets; nothing of it in profile `dev`. */
export const boundaryFor = (profile: Profile, hint: Hint, egress = egressOfMachine(profile)) =>
  profile.name === "dev"
    ? ""
    : `# ${egress.comment} docs/guides/profiles.md says what has to be named.
egress:
  ${hint("egress.mode")}
  mode: ${egress.mode}
${egress.list}
support:
  ${hint("support.access")}
  access: ${profile.defaults.support?.access}

# What the vendor gets of the metrics: ${VENDOR_TELEMETRY.filter((vendor) => acceptsValue(profile, "telemetry.vendor", vendor)).join(", ")}.
telemetry:
  vendor: ${profile.defaults.telemetry?.vendor}

`;

/** Where the authorities' keys are, in profile `dev`. */
export const PKI_DEV = `# Where the private keys of the authorities are: the root's in an age file, the others' in files.
# pki:
#   root:
#     kind: age

`;

/** Where the authorities' keys are; what only the operator knows stays to be filled in. */
export const pkiFor = (
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

/** Where the decryption keys are, in profile `dev`. */
export const CUSTODY_DEV = `# Where the decryption keys are: in a file, encrypted with a passphrase that lies in the state directory too.
# custody:
#   kind: file

`;

/** When generations of decryption keys come and go. */
export const scheduleFor = ({ defaults: { custody } }: Profile, hint: Hint) => `  schedule:
    ${hint("custody.schedule.rotateEvery")}
    rotateEvery: ${custody?.schedule?.rotateEvery}
    overlap: ${custody?.schedule?.overlap}
`;

/** Who has shares of the decryption keys, where the profile wants any; they stay to be filled in. */
export const escrowFor = ({ constraints }: Profile, hint: Hint) =>
  constraints.some(({ path, rule }) => path === "custody.escrow" && rule.kind === "required")
    ? `  ${hint("custody.escrow")}
  # docs/guides/custody-ceremony.md says who holders are; each is { name: …, operator: customer }.
  escrow:
    threshold: 2
    holders:
`
    : "";

/** Where the decryption keys are; what only the operator knows stays to be filled in. */
export const custodyFor = (profile: Profile, hint: Hint) => {
  const { class: least, owner = "customer" } = profile.defaults.custody ?? {};
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
${scheduleFor(profile, hint)}${escrowFor(profile, hint)}
`;
};
