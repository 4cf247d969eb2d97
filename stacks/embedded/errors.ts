import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the embedded engine. */
export const embeddedErrors = catalogue({
  PORT_IN_USE: {
    exit: EXIT.resource,
    summary: "A port that the deployment asks for belongs to another process.",
    fix: "stop that process, or name another port in trustkern.yaml (0 takes a free one)",
  },
  PROOF_FAILED: {
    exit: EXIT.failed,
    summary: "A step of the main job was not proven.",
    fix: "read the proof column of that step and the log of the component that it names",
  },
  SERVICE_LINGERS: {
    exit: EXIT.resource,
    summary: "A process of an earlier run still uses the state directory, and does not end.",
    fix: "find it with `fuser SOCKET` or `ps`, end it, and run this again",
  },
  FIXTURE_INVALID: {
    exit: EXIT.configuration,
    summary: "The file of --fixture is not a vectors file in the form of envelope-v1.json.",
    fix: "name a file that `trustkern envelope check FILE` accepts",
  },
});
