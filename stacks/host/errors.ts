import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the engines that keep a state directory on this machine. */
export const hostErrors = catalogue({
  STATE_CORRUPT: {
    exit: EXIT.configuration,
    summary: "The state directory of the deployment is not what this program wrote.",
    fix: "restore the directory from a copy, or name a new one with --dir to start afresh (the old rows and keys stay where they are)",
  },
  HOSTING_MOVED: {
    exit: EXIT.policy,
    summary: "A deployment names another region or account than the one it was first deployed in.",
    fix: "say the region and account of the first deploy; to move, deploy a new one with its own name and state directory, and destroy this one when its sensors have followed",
  },
  STATE_LOCKED: {
    exit: EXIT.resource,
    summary: "Another trustkern process uses the same state directory.",
    fix: "wait until the other process ends, or stop it",
  },
  STATE_UNWRITABLE: {
    exit: EXIT.resource,
    summary: "The state directory cannot be written: the disk is full, or the rights are missing.",
    fix: "free space or mend the rights of the directory, or name another one with --dir",
  },
  SERVICE_FAILED: {
    exit: EXIT.resource,
    summary: "A process of the deployment ended and cannot be started again.",
    fix: "read its log file in the logs folder of the state directory",
  },
  SERVICE_NOT_READY: {
    exit: EXIT.timeout,
    summary: "A process of the deployment did not become ready in time.",
    fix: "read its log file in the logs folder of the state directory",
  },
  STATE_FOREIGN: {
    exit: EXIT.configuration,
    summary: "The state directory holds something that is not part of a deployment; nothing was changed in it.",
    fix: "name a directory with --dir that is empty, does not exist yet, or is a deployment's",
  },
  CERTIFICATE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "No certificate that this host has issued has that serial number or name.",
    fix: "take it as `trustkern certs list` prints it",
  },
  ROOT_KEY_ELSEWHERE: {
    exit: EXIT.resource,
    summary: "The root's private key is not on this host, and the command needs its signature.",
    fix: "attach its medium or token where the message says, with the file of its passphrase or PIN, and run the command again: it goes on where it stopped",
  },
  CEREMONY_NEEDED: {
    exit: EXIT.policy,
    summary: "An authority's key belongs on a device or a medium, and only a ceremony makes one there.",
    fix: "hold the ceremony with `trustkern certs init`; docs/guides/ceremony.md says how",
  },
  KEY_PLACE_TAKEN: {
    exit: EXIT.configuration,
    summary: "An authority's new key cannot be where it was asked for: another key is there, or belongs there.",
    fix: "name a file that is not there yet, or another key id in pki.issuing.keys; what the old key signed stays good until the rotation ends",
  },
  ROOT_KEY_ONLINE: {
    exit: EXIT.policy,
    summary: "The root's key would be kept in the state directory, which is online.",
    fix: "name a file on a medium that is taken away after the ceremony",
  },
  AUTHORITIES_EXIST: {
    exit: EXIT.configuration,
    summary: "The deployment has authorities already, and no command replaces all of them at once.",
    fix: "replace them one by one with `trustkern certs rotate`, or name a new state directory with --dir",
  },
  AUTHORITY_NAMESPACE: {
    exit: EXIT.policy,
    summary: "The authority of services was made for another namespace of a cluster, or for another engine.",
    fix: "say the namespace and the engine that it was made for; or replace it with `trustkern certs rotate --what intermediate:services`, and deploy again",
  },
  GATEWAY_REVOKED: {
    exit: EXIT.policy,
    summary: "A gateway of the deployment is revoked, which is final: it is given neither certificate nor token.",
    fix: "take it out of gateways in trustkern.yaml, and give its successor another name there",
  },
  NOT_DEPLOYED: {
    exit: EXIT.notFound,
    summary: "No deployment was ever brought up in this state directory.",
    fix: "bring one up with `trustkern up` or `trustkern deploy`, or name its state directory with --dir",
  },
  DEPLOY_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "The command was interrupted before it was done.",
    fix: "run it again; what was done is kept",
  },
  SOCKET_PATH_TOO_LONG: {
    exit: EXIT.configuration,
    summary: "The path of a Unix socket would be longer than the 103 bytes that every platform accepts (unix(7)).",
    fix: "set TMPDIR to a short path such as /tmp",
  },
});
