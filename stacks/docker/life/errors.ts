import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of the life of a docker deployment. */
export const dockerLifeErrors = catalogue({
  COMPONENT_UNHEALTHY: {
    exit: EXIT.resource,
    summary: "A container of the deployment did not become healthy in time, or ended.",
    fix: "read its log lines (docker logs NAME), mend what they name, and run trustkern deploy again",
  },
  RENDERED_STACK_REFUSED: {
    exit: EXIT.policy,
    summary: "The rendered stack grants something that the model does not.",
    fix: "take the change out of the rendered stack: it is rendered anew from trustkern.yaml at every run",
  },
  HOST_KEYS_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "Custody or the online authorities cannot reach their keys on the host's token or in its TPM.",
    fix: "mend every line of the report; docs/guides/docker.md says what the host has to have",
  },
  PLAN_STALE: {
    exit: EXIT.configuration,
    summary: "The plan file was made for another trustkern.yaml, image lock or version.",
    fix: "make a new one with trustkern plan --out FILE, and read it before you deploy it",
  },
  DOCKER_REMOTE: {
    exit: EXIT.configuration,
    summary: "The docker client talks to an engine of another machine, where this machine's files cannot be mounted.",
    fix: "run trustkern on the machine whose engine it is, with DOCKER_HOST or a context that names its Unix socket",
  },
});
