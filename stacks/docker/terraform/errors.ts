import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of running OpenTofu or Terraform. */
export const terraformErrors = catalogue({
  TERRAFORM_MISSING: {
    exit: EXIT.resource,
    summary: "Neither OpenTofu nor Terraform, 1.11 or newer, was found on this machine.",
    fix: "install OpenTofu 1.11 or newer so that `tofu version` works, or name the program in TRUSTKERN_TERRAFORM",
  },
  TERRAFORM_TOO_OLD: {
    exit: EXIT.resource,
    summary: "The OpenTofu or Terraform of this machine is older than 1.11.",
    fix: "install OpenTofu 1.11 or newer, or name a newer program in TRUSTKERN_TERRAFORM",
  },
  STATE_LOCKED: {
    exit: EXIT.resource,
    summary: "Another run holds the lock of the deployment's state.",
    fix: "wait until the other run ends, then run this again",
  },
  STATE_BACKEND_CHANGED: {
    exit: EXIT.configuration,
    summary: "The deployment names another place for its state than the one that its state is in.",
    fix: "restore the earlier `state` in trustkern.yaml, or move the state with `init -migrate-state`",
  },
  STATE_CREDENTIALS: {
    exit: EXIT.authentication,
    summary: "The place of the deployment's state refuses this user, or got no credentials.",
    fix: "set the credentials that the back end reads from the environment (s3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; http: TF_HTTP_USERNAME and TF_HTTP_PASSWORD), then run this again",
  },
  TERRAFORM_DISK_FULL: {
    exit: EXIT.resource,
    summary: "The disk that the deployment's state is on is full.",
    fix: "free space on that disk, then run this again; it goes on from where it stopped",
  },
  PORT_TAKEN: {
    exit: EXIT.resource,
    summary: "A port that the deployment publishes belongs to another process or container.",
    fix: "stop what listens there (`ss -ltnup` names it), or name another port under `ports` in trustkern.yaml",
  },
  DOCKER_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "The Docker daemon does not answer.",
    fix: "start Docker, or mend DOCKER_HOST or your rights on its socket; `docker version` shows whether it answers",
  },
  IMAGE_MISSING: {
    exit: EXIT.resource,
    summary: "A container image is neither on this machine nor to be had from its registry.",
    fix: "run `trustkern images build` (or pull the image), then `trustkern images lock`",
  },
  NAME_TAKEN: {
    exit: EXIT.resource,
    summary: "A container or network of that name exists, and is not one of this deployment's state.",
    fix: "if another deployment runs here, run `trustkern destroy` in its folder; remove what nothing needs (`docker rm -f NAME` or `docker network rm NAME`), then run this again",
  },
  SUBNET_TAKEN: {
    exit: EXIT.resource,
    summary: "A network of this machine overlaps the subnets that the deployment asks for.",
    fix: "name a free /16 under `docker.subnets` in trustkern.yaml; `docker network inspect` and `ip route` show what is taken",
  },
  PROVIDER_MISSING: {
    exit: EXIT.resource,
    summary:
      "The Docker provider is not to be had in the version that the stack asks for, or is not the one that was locked.",
    fix: "let this machine reach the registry, or give a provider mirror that holds the version",
  },
  PLAN_UNUSABLE: {
    exit: EXIT.configuration,
    summary: "The plan file cannot be applied: it is stale, damaged, or made by another program or version.",
    fix: "make a new one with `trustkern plan --out FILE`",
  },
  TERRAFORM_FAILED: {
    exit: EXIT.resource,
    summary: "OpenTofu or Terraform ended with an error that has no code of its own here.",
    fix: "read the message; what was done is kept, and a second run goes on from there",
  },
  DEPLOY_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "The command was interrupted before it was done.",
    fix: "run it again; what was done is kept",
  },
});
