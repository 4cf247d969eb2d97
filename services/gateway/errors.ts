import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the gateway. */
export const gatewayErrors = catalogue({
  GATEWAY_STATE_UNUSABLE: {
    exit: EXIT.resource,
    summary: "The gateway's database cannot be opened, or is damaged.",
    fix: "free space or mend the disk; if the file is damaged, move it aside: the backend sends the allowlist again, but messages in it that were not forwarded are only in that file",
  },
  GATEWAY_BACKEND_KEY: {
    exit: EXIT.configuration,
    summary: "The file of backendKeyFile does not hold the backend's public key.",
    fix: "write the uncompressed P-256 point as 130 lower-case hex digits into it (GET /v1/signing-key)",
  },
});
