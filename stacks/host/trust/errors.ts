import { catalogue, EXIT } from "../../../shared/errors.ts";

const DEPLOY_ANEW =
  "find out who changed it and why; if the change is right, make it in trustkern.yaml and run `trustkern deploy`, which signs anew";

/** Error codes of the chain of trust at start, and of what its check finds. */
export const trustErrors = catalogue({
  CUSTODY_START_REFUSED: {
    exit: EXIT.policy,
    summary: "What is on the host, or in the namespace, is not what was deployed, so custody stays sealed.",
    fix: "mend every line of the report, then run `trustkern keys unseal` again",
  },
  START_MANIFEST_MISSING: {
    exit: EXIT.policy,
    summary: "The deployment has no start manifest, or nobody's key is pinned to verify it with.",
    fix: "restore the folder trust of the state directory from a backup, or run `trustkern deploy`, which signs a new manifest",
  },
  START_MANIFEST_MALFORMED: {
    exit: EXIT.policy,
    summary: "The start manifest is cut short, or is not one that `trustkern deploy` writes.",
    fix: "restore the folder trust of the state directory from a backup, or run `trustkern deploy`, which signs a new manifest",
  },
  START_SIGNER_DIFFERS: {
    exit: EXIT.policy,
    summary: "The start manifest is, or would be, signed by another key than the one that is pinned.",
    fix: "sign with the key that is pinned: `trustkern deploy` with the --start-key of the deploys before",
  },
  EVIDENCE_SIGNER_DIFFERS: {
    exit: EXIT.policy,
    summary: "Evidence would be signed by another key than the one that is pinned for this deployment.",
    fix: "sign with the key that is pinned: `trustkern evidence` with the --evidence-key of the times before",
  },
  STATUS_SIGNER_DIFFERS: {
    exit: EXIT.policy,
    summary: "A status file would be signed by another key than the one that is pinned for this deployment.",
    fix: "sign with the key that is pinned: `trustkern status --export FILE` with the --status-key of the times before",
  },
  START_MANIFEST_OLD: {
    exit: EXIT.policy,
    summary:
      "The start manifest is older than one that this host has seen already, or another one of the same version.",
    fix: "find out who put the old one back; `trustkern deploy` signs a new one",
  },
  START_MANIFEST_FOREIGN: {
    exit: EXIT.policy,
    summary: "The start manifest is of another deployment, tenant or state directory.",
    fix: "restore the folder trust of this state directory from its own backup, or run `trustkern deploy`",
  },
  START_CONTAINER_MISSING: {
    exit: EXIT.policy,
    summary: "A container that the start manifest names is not there.",
    fix: "run `trustkern status`, and `trustkern deploy` to make it anew",
  },
  START_CONTAINER_CHANGED: {
    exit: EXIT.policy,
    summary:
      "A container is not the one that was deployed: its image, command, environment, rights, mounts, ports or networks differ.",
    fix: DEPLOY_ANEW,
  },
  START_CONTAINER_EXTRA: {
    exit: EXIT.policy,
    summary:
      "A container that the start manifest does not name has a label, a folder, a network or a namespace of the deployment.",
    fix: "find out whose it is, and remove it or keep it apart from the state directory and the networks of the deployment",
  },
  START_FILE_CHANGED: {
    exit: EXIT.policy,
    summary: "A configuration file is not the one that was deployed.",
    fix: DEPLOY_ANEW,
  },
  START_STATE_CORRUPT: {
    exit: EXIT.policy,
    summary: "The file of the newest start manifest that this host has seen is not what this program wrote.",
    fix: "restore the folder trust of the state directory from a backup; without one, remove the file and run `trustkern deploy`",
  },
  START_NOT_AS_PLANNED: {
    exit: EXIT.policy,
    summary: "Right after a deploy something else runs than the deployment says, so no start manifest was signed.",
    fix: "run `trustkern status`, find out who changes containers meanwhile, then run `trustkern deploy` again",
  },
});
