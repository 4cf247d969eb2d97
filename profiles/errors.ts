import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of `profiles/`. */
export const profileErrors = catalogue({
  CONFIG_INVALID: {
    exit: EXIT.configuration,
    summary: "A trustkern.yaml has mistakes; the report names each with its line, column and fix.",
    fix: "mend every line of the report; trustkern config schema prints what is accepted",
  },
  CONFIG_YAML: {
    exit: EXIT.configuration,
    summary: "A place in trustkern.yaml is not YAML 1.2, or uses a tag, an anchor bomb or more than 64 KiB.",
    fix: "mend the line; indent with spaces, two for each level",
  },
  CONFIG_DUPLICATE_KEY: {
    exit: EXIT.configuration,
    summary: "A key stands twice in one map, so that one of its values would be lost.",
    fix: "keep one of the two",
  },
  CONFIG_UNKNOWN_KEY: {
    exit: EXIT.configuration,
    summary: "A key is not one that trustkern.yaml has.",
    fix: "take the key that the report suggests, or delete it",
  },
  CONFIG_MISSING: {
    exit: EXIT.configuration,
    summary: "A required key is not there.",
    fix: "add the key; trustkern init writes a complete file",
  },
  CONFIG_VALUE: {
    exit: EXIT.configuration,
    summary: "A value has another type or is out of range.",
    fix: "write one of the accepted values",
  },
  CONFIG_PROFILE: {
    exit: EXIT.configuration,
    summary: "A value is not allowed by the deployment's profile.",
    fix: "choose an allowed value, or another profile; trustkern profile explain P gives the reasons",
  },
  CONFIG_ENGINE_KEYS: {
    exit: EXIT.configuration,
    summary:
      "The engine's programs could not reach the keys of the issuing authorities, or of custody, where the file says they are.",
    fix: "with engine: docker use kind pkcs11 or tpm2, with engine: kubernetes vault or aws-kms, with engine: embedded custody.kind file; docs/guides/docker.md and docs/guides/kubernetes.md say what to prepare",
  },
  CONFIG_KUBERNETES: {
    exit: EXIT.configuration,
    summary: "What is said of the cluster contradicts itself or another member, or lacks what a policy needs.",
    fix: "say what the report names under kubernetes in trustkern.yaml, or leave kubernetes out with another engine",
  },
  CONFIG_IMAGES: {
    exit: EXIT.configuration,
    summary: "What is said of the images does not go with where they come from.",
    fix: "with images.source registry say mirror and signedBy as needed; with packages or bundle leave both out",
  },
  CONFIG_SECRET: {
    exit: EXIT.configuration,
    summary:
      "A text in trustkern.yaml looks like a secret. The file is no place for one, and evidence shows its words.",
    fix: "take it out, and change the secret if it was one; say the reason in plain words",
  },
  CONFIG_EGRESS: {
    exit: EXIT.configuration,
    summary:
      "The list of hosts that may be reached contradicts egress.mode, or lacks a host that the file itself names.",
    fix: "list every host with its purpose and say mode: restricted; leave the list out with isolated and open",
  },
  CONFIG_SUPPORT: {
    exit: EXIT.configuration,
    summary: "What is said of support access contradicts itself.",
    fix: "with support.access granted say to, from, until and reason; leave them out with off and operators",
  },
  PROFILE_UNSOUND: {
    exit: EXIT.bug,
    summary: "A profile itself, as TrustKern has it, is weak or contradicts itself.",
    fix: "it is a mistake of this version: report it, and use another version",
  },
  COMPONENT_ABSENT: {
    exit: EXIT.policy,
    summary: "A component is missing from the deployment that its profile does not let be absent.",
    fix: "put it back; trustkern profile explain P names the components that may be absent",
  },
  PROFILE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "There is no profile of that name.",
    fix: "trustkern profile list prints the profiles",
  },
});
