import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of the cluster for the tests. */
export const clusterErrors = catalogue({
  CLUSTER_USAGE: {
    exit: EXIT.configuration,
    summary: "The arguments of scripts/cluster are wrong.",
    fix: "./scripts/cluster up [--state DIR], or ./scripts/cluster down [--state DIR]",
  },
  CLUSTER_NOT_ROOT: {
    exit: EXIT.authentication,
    summary: "A cluster needs namespaces, mounts and control groups, which root alone may make.",
    fix: "run the same command as root, such as with sudo",
  },
  CLUSTER_PROGRAM_MISSING: {
    exit: EXIT.configuration,
    summary: "Programs that a cluster needs are not on this machine.",
    fix: "install the Debian packages that the message names, as root: apt-get install PACKAGE …",
  },
  CLUSTER_STATE_FOREIGN: {
    exit: EXIT.configuration,
    summary: "The state folder has something in it that no cluster of ours put there.",
    fix: "name a folder that is not there yet with --state",
  },
  CLUSTER_NETWORK_TAKEN: {
    exit: EXIT.resource,
    summary: "Every network that a cluster may take overlaps one that this machine has a route to.",
    fix: "end other clusters with ./scripts/cluster down --state DIR, or remove routes (`ip route` shows them)",
  },
  CLUSTER_NETWORK_FAILED: {
    exit: EXIT.resource,
    summary: "The link between this machine and the cluster's node cannot be made.",
    fix: "end whatever has the interface or the addresses that the message names, and run the same command again",
  },
  CLUSTER_START_FAILED: {
    exit: EXIT.resource,
    summary: "A part of the cluster did not start.",
    fix: "read the lines of its log above; ./scripts/cluster down removes what is left",
  },
  CLUSTER_STEP_TIMEOUT: {
    exit: EXIT.timeout,
    summary: "A part of the cluster was not ready in time.",
    fix: "read the lines of its log above, see whether the machine is busy, and run the same command again",
  },
  CLUSTER_LEFTOVER: {
    exit: EXIT.failed,
    summary: "Something of a cluster that was ended is still there.",
    fix: "run ./scripts/cluster down again; what the message names is still in use",
  },
  CLUSTER_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "Bringing the cluster up was cancelled; what was started has been ended.",
    fix: "run the same command again",
  },
});
