import { catalogue, EXIT } from "../../../shared/errors.ts";

const AGAIN = "find out who changed it, then deploy again with `trustkern deploy`";

/** Codes of what the verification finds in a deployment that runs. */
export const runningErrors = catalogue({
  RUNNING_UNWELL: {
    exit: EXIT.policy,
    summary: "A component does not run, or says itself that it is not well.",
    fix: "see what it says with `trustkern status` and docker logs, and mend that; one that was stopped is started by `trustkern deploy`, one that is paused goes on after docker unpause",
  },
  RUNNING_STRANGER: {
    exit: EXIT.policy,
    summary: "A container that is none of the deployment's reaches into its networks, folders or namespaces.",
    fix: "find out who started it and stop it (docker rm --force), then change the keys that it could see",
  },
  RUNNING_NETWORKS: {
    exit: EXIT.policy,
    summary: "A component is in other networks than those of its flows.",
    fix: "take it out with docker network disconnect, find out who joined it, and deploy again with `trustkern deploy`",
  },
  RUNNING_FLOW_CLOSED: {
    exit: EXIT.policy,
    summary: "A flow of the model does not connect, although both of its ends run.",
    fix: "read the logs of both ends (docker logs), and deploy again with `trustkern deploy`",
  },
  RUNNING_REACHED: {
    exit: EXIT.policy,
    summary: "A container reaches a port that no flow of the model names.",
    fix: "see which network the two share (docker inspect), take one out of it, and deploy again with `trustkern deploy`",
  },
  RUNNING_LISTENER: {
    exit: EXIT.policy,
    summary: "Something listens in a container's network on a port that its component does not have.",
    fix: `find the program (docker top, or ss -lntup in its namespace); ${AGAIN}`,
  },
  RUNNING_PUBLISHED: {
    exit: EXIT.policy,
    summary: "The host publishes other ports of a container than the model says.",
    fix: AGAIN,
  },
  RUNNING_TLS_OWN: {
    exit: EXIT.policy,
    summary: "A port does not take its own client by TLS 1.3, or shows a certificate that is not the deployment's.",
    fix: "see whether the port's component is well (`trustkern status`); look at the certificates with `trustkern certs list`, renew what has ended, and read the component's log",
  },
  RUNNING_TLS_TAKEN: {
    exit: EXIT.policy,
    summary: "A port takes a client that it has to refuse.",
    fix: "look at the trust anchors and revocation lists of the port's component, and deploy again with `trustkern deploy`",
  },
  RUNNING_AUTHORITY: {
    exit: EXIT.policy,
    summary: "An issuing authority of the deployment may name others than its own tenant's.",
    fix: "have the authority made anew with `trustkern certs rotate --what intermediate:CLASS`, and find out who made this one",
  },
  RUNNING_TLS_VERSION: {
    exit: EXIT.policy,
    summary: "A port speaks TLS 1.2 or older.",
    fix: "set the port's component back to what was rendered with `trustkern deploy`",
  },
  RUNNING_MOUNT: {
    exit: EXIT.policy,
    summary: "A container sees other files and folders than its component's.",
    fix: `${AGAIN}; change the keys that it could see`,
  },
  RUNNING_ENVIRONMENT: {
    exit: EXIT.policy,
    summary: "A container has another environment or command than its component.",
    fix: AGAIN,
  },
  RUNNING_SECRET: {
    exit: EXIT.policy,
    summary: "The environment of a container holds what looks like a secret.",
    fix: "change that secret, and deploy again with `trustkern deploy`",
  },
  RUNNING_RIGHT: {
    exit: EXIT.policy,
    summary: "A container has another user, other rights or other bounds than its component.",
    fix: AGAIN,
  },
  RUNNING_IMAGE: {
    exit: EXIT.policy,
    summary: "A container runs other bytes than the image lock names.",
    fix: "find out where they come from; deploy again with `trustkern deploy`",
  },
  RUNNING_EGRESS: {
    exit: EXIT.policy,
    summary: "Something leaves the host, or reaches a service of the host, from inside of a container.",
    fix: "install stacks/docker/firewall.nft (below current/ of a site) on the host, as docs/guides/docker.md says",
  },
  RUNNING_CUSTODY: {
    exit: EXIT.policy,
    summary: "Custody is sealed, or not what the deployment asks for.",
    fix: "see `trustkern status`, and unseal it with `trustkern keys unseal`",
  },
  RUNNING_NOT_ENCRYPTED: {
    exit: EXIT.failed,
    summary: "Nothing shows that a volume with plaintext or keys is on an encrypted device.",
    fix: "put the state directory on a dm-crypt device (`trustkern doctor` looks at it), or let whoever runs the host's disks say so",
  },
});
