import { catalogue, EXIT } from "../shared/errors.ts";

/** Error codes of `protocol/`. What a sensor or gateway sends wrong is a verdict, not an error. */
export const protocolErrors = catalogue({
  PROTOCOL_BAD_HEX: {
    exit: EXIT.configuration,
    summary: "A value is not lower-case hexadecimal of the expected length.",
    fix: "write two characters 0-9a-f for each byte",
  },
  PROTOCOL_BAD_POINT: {
    exit: EXIT.configuration,
    summary: "A public key is not an uncompressed point on P-256.",
    fix: "give the 65 bytes 04 || x || y of SEC 1, section 2.3.3",
  },
  PROTOCOL_BAD_KEY: {
    exit: EXIT.configuration,
    summary: "An X25519 key is not 32 raw bytes, or cannot be used.",
    fix: "give the 32 raw bytes of RFC 7748, section 5",
  },
  PROTOCOL_BAD_FIELD: {
    exit: EXIT.configuration,
    summary: "A field of a message to encode is out of the range of the wire format.",
    fix: "see docs/spec for the type and range of each field",
  },
  HPKE_DECAPSULATION_FAILED: {
    exit: EXIT.failed,
    summary: "An encapsulated key is no usable X25519 public key (RFC 9180, section 7.1.4).",
    fix: "the sender must encapsulate anew; nothing can be opened with this one",
  },
  RECEIPT_MALFORMED: {
    exit: EXIT.failed,
    summary: "A receipt message is not a deterministic CBOR array of at most 1000 pairs [digest, verdict].",
    fix: "compare the versions of collector and gateway",
  },
  DSSE_MALFORMED: {
    exit: EXIT.failed,
    summary: "A document is not a DSSE envelope of the expected payload type.",
    fix: "fetch the document again from the backend",
  },
  DSSE_BAD_SIGNATURE: {
    exit: EXIT.authentication,
    summary: "No signature of a DSSE envelope verifies with the expected key.",
    fix: "compare the backend's signing key with the one this component was enrolled with",
  },
  ALLOWLIST_MALFORMED: {
    exit: EXIT.failed,
    summary: "A signed allowlist is not of schema trustkern.allowlist/1.",
    fix: "compare the versions of backend and receiver",
  },
  ALLOWLIST_AUDIENCE: {
    exit: EXIT.authentication,
    summary: "An allowlist is meant for another receiver.",
    fix: "fetch the copy that the backend made for this receiver",
  },
  ALLOWLIST_ROLLBACK: {
    exit: EXIT.authentication,
    summary: "An allowlist is older than the one held.",
    fix: "fetch the newest copy from the backend; the old one stays in force until then",
  },
  GATEWAY_CONFIGURATION_MALFORMED: {
    exit: EXIT.failed,
    summary: "A gateway's signed configuration is not of schema trustkern.gateway-configuration/1.",
    fix: "compare the versions of backend and gateway",
  },
  GATEWAY_CONFIGURATION_AUDIENCE: {
    exit: EXIT.authentication,
    summary: "A configuration is meant for another gateway.",
    fix: "fetch the copy that the backend made for this gateway",
  },
  GATEWAY_CONFIGURATION_ROLLBACK: {
    exit: EXIT.authentication,
    summary: "A gateway's configuration is older than the one held.",
    fix: "fetch the newest copy from the backend; the old one stays in force until then",
  },
  UPDATE_MALFORMED: {
    exit: EXIT.failed,
    summary: "A sensor update is not the deterministic CBOR of the specification.",
    fix: "let the backend make the update again",
  },
  UPDATE_BAD_SIGNATURE: {
    exit: EXIT.authentication,
    summary: "A sensor update is not signed by the backend's key.",
    fix: "compare the backend's signing key with the one of the provisioning bundle",
  },
  UPDATE_OTHER_SENSOR: {
    exit: EXIT.authentication,
    summary: "A sensor update is meant for another sensor.",
    fix: "let the backend make an update for this sensor",
  },
  UPDATE_ROLLBACK: {
    exit: EXIT.authentication,
    summary: "A sensor update's counter is not greater than the last one taken.",
    fix: "let the backend make a new update; its counter grows by itself",
  },
  VECTORS_MALFORMED: {
    exit: EXIT.configuration,
    summary: "A file is not of the form of envelope-v1.json.",
    fix: "see docs/guides/first-steps.md for the form, and test/fixtures/envelope-v1.json for an example",
  },
});
