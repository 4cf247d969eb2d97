import type { Profile } from "./profile.ts";

/** What a section needs to explain itself. */
type Hint = (path: string) => string;

const IMAGES_DEV = `# registry: upstream images, pinned by \`trustkern images lock\`.
# packages: built on this machine by \`trustkern images build\`; Grafana cannot be, so say grafana: absent.
images:
  source: registry
  grafana: present
`;

const imagesFor = (profile: Profile, hint: Hint) => {
  const asked = (["mirror", "signedBy"] as const).filter((member) =>
    profile.constraints.some(({ path }) => path === `images.${member}`),
  );
  const members = asked.map((member) => `  ${hint(`images.${member}`)}\n  ${member}:\n`);
  return `# By digest: \`trustkern images lock\` writes images.lock.yaml beside this file.
images:
  ${hint("images.source")}
  source: ${profile.defaults.images?.source}
  grafana: present
${members.join("")}`;
};

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

# Where OpenTofu keeps its state: local, s3 or http; credentials come from the environment.
# state:
#   backend: local

`;

/** What may leave, who of the vendor gets in, what the vendor gets; nothing of it in profile `dev`. */
export const boundaryFor = ({ name, defaults }: Profile, hint: Hint) =>
  name === "dev"
    ? ""
    : `# Hosts that this machine may reach; nothing in a container reaches any. docs/guides/profiles.md says what has to be named.
egress:
  ${hint("egress.mode")}
  mode: ${defaults.egress?.mode}
  allow: []
  # - { host: registry.example, port: 443, protocol: tcp, purpose: images, region: eu-central-1 }

support:
  ${hint("support.access")}
  access: ${defaults.support?.access}

# What the vendor gets of the metrics: none, metrics.
telemetry:
  vendor: ${defaults.telemetry?.vendor}

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

const ESCROW = `  HINT
  # docs/guides/custody-ceremony.md says who holders are; each is { name: …, operator: customer }.
  escrow:
    threshold: 2
    holders:
`;

/** Where the decryption keys are; what only the operator knows stays to be filled in. */
export const custodyFor = ({ constraints, defaults }: Profile, hint: Hint) => {
  const mustEscrow = constraints.some(({ path, rule }) => path === "custody.escrow" && rule.kind === "required");
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
${mustEscrow ? ESCROW.replace("HINT", hint("custody.escrow")) : ""}
`;
};
