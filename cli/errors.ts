import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of `cli/`. */
export const cliErrors = catalogue({
  CLI_USAGE: {
    exit: EXIT.configuration,
    summary: "The command line is not one that trustkern has: an unknown command or option, or a missing argument.",
    fix: "trustkern help prints the commands, trustkern COMMAND --help one of them",
  },
  CLI_FILE: {
    exit: EXIT.notFound,
    summary: "A file named on the command line cannot be read.",
    fix: "name a file that is there and may be read",
  },
  CLI_NO_KEY: {
    exit: EXIT.configuration,
    summary: "A file that should have a certificate and its private key has no private key.",
    fix: "name the file that `trustkern certs issue NAME -o FILE` wrote without --csr; a key that was made elsewhere is where it was made",
  },
  CLI_FILE_EXISTS: {
    exit: EXIT.configuration,
    summary: "A file that the command would write is there already.",
    fix: "name another file with -o, or delete it first",
  },
  CLI_OUTPUT: {
    exit: EXIT.resource,
    summary: "An output file cannot be written.",
    fix: "name a folder that is there and may be written",
  },
  CLI_NO_DEPLOYMENT: {
    exit: EXIT.notFound,
    summary: "There is no trustkern.yaml in this folder or above it.",
    fix: "trustkern init --profile dev writes one, or name one with -f FILE",
  },
  CLI_NEEDS_CLONE: {
    exit: EXIT.configuration,
    summary: "The command builds from the project's sources, which the toolkit of a bundle does not have.",
    fix: "run it on the vendor's machine, in a clone of the project, and carry the result here in a bundle",
  },
  CLI_ENVELOPE_ENCODING: {
    exit: EXIT.configuration,
    summary: "What should be an envelope is empty, half a hex digit short, or larger than any text form of one.",
    fix: "give the envelope's bytes as they are, in hex or in base64",
  },
  EMBEDDED_DEV_ONLY: {
    exit: EXIT.configuration,
    summary: "The command is for the profile dev on the engine embedded, and for nothing else.",
    fix: "trustkern init --profile dev writes such a deployment; trustkern up in a folder with no trustkern.yaml in it or above it runs one without a file",
  },
  TOKEN_FOLDER_OPEN: {
    exit: EXIT.policy,
    summary: "Others could put a socket of theirs where custody looks for its token's.",
    fix: "let its owner alone write the folder of docker.custodySocket: mode 0755",
  },
  DOCKER_ENGINE_ONLY: {
    exit: EXIT.configuration,
    summary: "The command is for deployments on the engine docker.",
    fix: "say engine: docker in trustkern.yaml, or name another file with -f; trustkern up runs a deployment on the embedded engine",
  },
  KUBERNETES_ENGINE_ONLY: {
    exit: EXIT.configuration,
    summary: "The command is for deployments on the engine kubernetes.",
    fix: "say engine: kubernetes in trustkern.yaml, or name another file with -f",
  },
  CONFIRMATION_NEEDED: {
    exit: EXIT.configuration,
    summary: "The command changes what cannot be brought back, and nobody can be asked.",
    fix: "add --yes if that is what you want",
  },
  CODE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "No error of TrustKern has that code.",
    fix: "take the code as it stands in the error; codes are upper case with _",
  },
  CERT_IN_FORCE: {
    exit: EXIT.policy,
    summary: "An authority is in force that this deployment needs for everything, its own replacement among it.",
    fix: "replace it with `trustkern certs rotate`, which revokes it at its end",
  },
  CANCELLED: {
    exit: EXIT.cancelled,
    summary: "The command was cancelled.",
    fix: "start it again",
  },
  INTERNAL_BUG: {
    exit: EXIT.bug,
    summary: "TrustKern failed in a way that it does not know: a bug of ours.",
    fix: "report it with the command and this message; SECURITY.md says how",
  },
});
