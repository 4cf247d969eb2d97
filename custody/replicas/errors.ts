import { catalogue, EXIT } from "../../shared/errors.ts";

const INVESTIGATE = "keep the logs of both for whoever investigates";

/** Error codes of `custody/replicas/`. None of them is a verdict about a message. */
export const replicaErrors = catalogue({
  CUSTODY_FOLLOWS: {
    exit: EXIT.policy,
    summary:
      "This custody follows another one, the writer, which alone changes generations and gives its word about them.",
    fix: "ask the writer: on Kubernetes that is the pod with ordinal 0",
  },
  CUSTODY_REPLICAS_STORE: {
    exit: EXIT.configuration,
    summary: "Custody is told to share its keys with others, and they are in a place that only one custody can use.",
    fix: "keep the keys under a wrapping key of Vault or AWS KMS, or run one custody",
  },
  CUSTODY_WRITER_CHANGING: {
    exit: EXIT.resource,
    summary: "The writer is in the middle of a change, or is no writer, and states nothing now.",
    fix: "nothing: whoever follows asks again",
  },
  CUSTODY_WRITER_FORGED: {
    exit: EXIT.policy,
    summary:
      "What came as the writer's state is not its word for the question that was asked: made up, replayed, late or changed on the way.",
    fix: `find out who answers as the writer's custody broker; ${INVESTIGATE}`,
  },
  CUSTODY_WRITER_OTHER: {
    exit: EXIT.policy,
    summary: "The state is the word of another custody than the one that was followed until now.",
    fix: "bring the writer back with the volumes that it had; if they are lost, and another one was restored from escrow in its place, keep this follower's volumes for the auditor and start it with empty ones",
  },
  CUSTODY_WRITER_BEHIND: {
    exit: EXIT.policy,
    summary:
      "The writer's state or audit log is older than the one that was followed: an old volume was put back under it.",
    fix: `bring the writer back with its newest volumes; ${INVESTIGATE}`,
  },
  CUSTODY_WRITER_CONTRADICTS: {
    exit: EXIT.policy,
    summary:
      "The writer's state cannot have come out of the one that was followed: nothing that was taken away comes back.",
    fix: INVESTIGATE,
  },
  CUSTODY_WRITER_KEYS: {
    exit: EXIT.policy,
    summary:
      "A wrapped key came that does not open here, or is not the key that the writer's state names, or it did not come.",
    fix: `let this custody use the wrapping key that the writer uses; ${INVESTIGATE}`,
  },
});
