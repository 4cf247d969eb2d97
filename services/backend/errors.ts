import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of the backend. */
export const backendErrors = catalogue({
  BACKEND_STATE_UNUSABLE: {
    exit: EXIT.resource,
    summary: "The backend's registry cannot be opened, is damaged, or was written by a newer version.",
    fix: "restore the state directory from a backup, or run the version that wrote it",
  },
  BACKEND_STATE_FULL: {
    exit: EXIT.resource,
    summary: "The backend's registry cannot be written; nothing of the request was kept.",
    fix: "make room on the disk of the state directory, then repeat the request",
  },
  BACKEND_KEY_INVALID: {
    exit: EXIT.configuration,
    summary: "A key file of the backend does not hold the key that it should.",
    fix: "give signingKeyFile a P-256 key in PKCS#8 PEM, and networkKeyFile 32 hex digits",
  },
  BACKEND_ROLE_REFUSED: {
    exit: EXIT.authentication,
    summary: "The certificate's name may not use this route of the backend.",
    fix: "use an operator's certificate (op-…); a collector's may only fetch its allowlist",
  },
  DEVICE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "No sensor of that id is registered.",
    fix: "list the sensors with GET /v1/devices",
  },
  DEVICE_CONFLICT: {
    exit: EXIT.policy,
    summary: "The sensor's id or its public key is registered already, with another partner.",
    fix: "revoke the registered sensor, and give the new one a key and an id of its own",
  },
  DEVICE_REVOKED: {
    exit: EXIT.policy,
    summary: "The sensor is revoked, which is final.",
    fix: "use a sensor with another secure element",
  },
  DEVICE_NOT_ACTIVE: {
    exit: EXIT.policy,
    summary: "Only an active sensor takes updates.",
    fix: "finish its provisioning first",
  },
  RECIPIENT_NONE: {
    exit: EXIT.resource,
    summary: "The backend knows no public key to encrypt telemetry to.",
    fix: "hand it the public keys of custody: `trustkern up` or `trustkern deploy`",
  },
  RECIPIENT_KEY_ID: {
    exit: EXIT.configuration,
    summary: "A recipient's key id is not the first 8 bytes of SHA-256 of its public key.",
    fix: "take key id and public key from `trustkern keys list`",
  },
  PROVISIONING_SENSOR_ACTIVE: {
    exit: EXIT.policy,
    summary: "The sensor is active already; its provisioning port is closed for good.",
    fix: "nothing is left to do for this sensor",
  },
  PROVISIONING_CHALLENGE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "The backend gave no such challenge for that sensor.",
    fix: "ask for a new challenge",
  },
  PROVISIONING_CHALLENGE_USED: {
    exit: EXIT.policy,
    summary: "A challenge works once.",
    fix: "ask for a new challenge",
  },
  PROVISIONING_CHALLENGE_EXPIRED: {
    exit: EXIT.policy,
    summary: "A challenge is good for five minutes.",
    fix: "ask for a new challenge",
  },
  PROVISIONING_PROOF_INVALID: {
    exit: EXIT.authentication,
    summary: "The sensor did not prove that it holds the key that it showed.",
    fix: "ask for a new challenge; if it happens again the sensor is not what it says",
  },
  PROVISIONING_BUNDLE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "The backend issued no such bundle for that sensor.",
    fix: "begin with a new challenge",
  },
  PROVISIONING_BUNDLE_USED: {
    exit: EXIT.policy,
    summary: "A bundle can be activated once.",
    fix: "nothing is left to do for this sensor",
  },
  PROVISIONING_BUNDLE_SUPERSEDED: {
    exit: EXIT.policy,
    summary: "A newer bundle was issued for that sensor, and this one is void.",
    fix: "activate the newest bundle",
  },
  PROVISIONING_ACTIVATION_INVALID: {
    exit: EXIT.authentication,
    summary: "The activation is not signed by the sensor's key.",
    fix: "pass on the sensor's own answer, unchanged",
  },
});
