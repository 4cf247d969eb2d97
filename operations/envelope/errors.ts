import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `operations/envelope/`. */
export const envelopeErrors = catalogue({
  ENVELOPE_KEY_INVALID: {
    exit: EXIT.configuration,
    summary: "A message is named by its sensor id (18 hex digits), its boot id and its seq (whole numbers below 2^32).",
    fix: "take the three as the database shows them: SELECT encode(sensor_id, 'hex'), boot_id, seq FROM telemetry",
  },
  ENVELOPE_NOT_STORED: {
    exit: EXIT.notFound,
    summary: "No row was stored for this message, or its bytes are past their retention.",
    fix: "look the message up: SELECT encode(sensor_id, 'hex'), boot_id, seq FROM telemetry",
  },
  DEPLOYMENT_AWAY: {
    exit: EXIT.resource,
    summary: "The deployment's database does not answer.",
    fix: "bring the deployment up with `trustkern up` in another terminal",
  },
});
