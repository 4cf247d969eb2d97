import { acceptsValue } from "./lines.ts";
import type { Profile } from "./profile.ts";
import { type EgressPart, escrowFor, type Hint, imagesFor, scheduleFor } from "./template-parts.ts";

// What a pod under PodSecurity restricted reaches: servers, and nothing of its node.

const byKms = (profile: Profile): boolean => acceptsValue(profile, "pki.issuing.kind", "aws-kms");

/** Images and the cluster, for the engine `kubernetes`. */
export const kubernetesFor = (profile: Profile, name: string, hint: Hint) => `${imagesFor(profile, hint)}
# What the engine has to know of the cluster; docs/guides/kubernetes.md has the rest.
kubernetes:
  # This deployment's alone.
  namespace: tk-${name}
  # storageClass: fast-encrypted
  # databaseSize: 50GiB
  # How many collectors; between the two the processors decide.
  collector: { min: 2, max: 6 }
  # Where names are asked for, if not at kube-dns in kube-system alone; a node's own DNS cache has an address.
  # resolver: { namespace: kube-system, labels: { k8s-app: kube-dns }, addresses: [169.254.20.10/32] }
  # Where custody reaches the server of its keys, as a network policy can say it: networks of at most a /16, or namespace and labels.
  keys:
    addresses:
${byKms(profile) ? ISSUING_KEYS : EXTERNAL_AUTHORITIES}  # Who reaches published ports: nobody, unless it is said.
  # publish: { service: LoadBalancer, from: [192.0.2.0/24] }

`;

const ISSUING_KEYS = `  # Where the online authorities reach their KMS.
  issuingKeys:
    addresses:
`;

const EXTERNAL_AUTHORITIES = `  # step-ca servers elsewhere, which reach the token of pki.issuing: host (a DNS name or an address), and the networks that it is in.
  external:
    gateways-ca:
      host:
      addresses:
    operators-ca:
      host:
      addresses:
`;

/** What may be reached: the server of the keys is never in the namespace, so it is on the list. */
export const kubernetesEgress = (profile: Profile): EgressPart => {
  const entry = (host: string, port: number, purpose: string, region: string) =>
    `    # - { host: ${host}, port: ${port}, protocol: tcp, purpose: ${purpose}${region} }\n`;
  const [kms, region] = ["kms.eu-central-1.amazonaws.com", ", region: eu-central-1"];
  const keys = byKms(profile) ? entry(kms, 443, "keys", region) : entry("vault.internal", 8200, "keys", "");
  const images = acceptsValue(profile, "images.source", "registry");
  return {
    comment: "Hosts that may be reached: where images and keys are.",
    mode: "restricted",
    list: `  allow:\n${images ? entry("registry.example", 443, "images", region) : ""}${keys}`,
  };
};

/** Where the authorities' keys are; what only the operator knows stays to be filled in. */
export const kubernetesPkiFor = (
  profile: Profile,
  hint: string,
) => `# Where the private keys of the authorities are; docs/guides/ceremony.md says how they are made.
pki:
  # age, pkcs11, tpm2, on the machine of the ceremony: an age file has a passphrase, and belongs on a medium that is offline.
  root:
    kind: age
  issuing:
    ${hint}
${byKms(profile) ? ISSUING_KMS : ISSUING_TOKEN}
`;

const ISSUING_KMS = `    # A pod has no token and no TPM. Region of the KMS, and ids of a key for each authority.
    kind: aws-kms
    region:
    keys:
      services:
      gateways:
      operators:
`;

const ISSUING_TOKEN = `    # Of the authorities elsewhere: absolute paths of the token's library and of the file with its PIN, and the token's label.
    kind: pkcs11
    module:
    token:
    pinFile:
`;

/** Where the decryption keys are; what only the operator knows stays to be filled in. */
export const kubernetesCustodyFor = (
  profile: Profile,
  hint: Hint,
) => `# Where the decryption keys are; docs/guides/custody.md says what each kind asks for. A pod has no token and no TPM.
custody:
  ${hint("custody.kind")}
${acceptsValue(profile, "custody.kind", "aws-kms") ? CUSTODY_KMS : CUSTODY_VAULT}  ${hint("custody.owner")}
  owner: ${profile.defaults.custody?.owner ?? "customer"}
${acceptsValue(profile, "custody.kind", "aws-kms") ? `  # hardware, virtual, software: custody opens no place of keys that is worse.\n  class: ${profile.defaults.custody?.class}\n` : ""}${scheduleFor(profile, hint)}${escrowFor(profile, hint)}
`;

const CUSTODY_KMS = `  kind: aws-kms
  # Id of a symmetric key of one region that wraps the decryption keys.
  keyId:
`;

const CUSTODY_VAULT = `  kind: vault
  # Its https address on the site, the mount and key of its transit engine, and absolute path of the file with the token.
  address:
  mount: transit
  key:
  tokenFile:
  # A transit engine is software; why that is accepted stands in the evidence.
  class: software
  acceptSoftware:
`;
