import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of makers, made devices, gateways and their enrolment. */
export const fleetErrors = catalogue({
  MAKER_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "The backend knows no maker of that name.",
    fix: "register the maker's key first: trustkern device maker add MAKER",
  },
  MAKER_REVOKED: {
    exit: EXIT.policy,
    summary: "The maker is revoked, which is final: nothing that it made or signs is trusted.",
    fix: "use devices of another maker",
  },
  MAKER_KEY_INVALID: {
    exit: EXIT.configuration,
    summary: "A maker's key is neither a P-256 point nor the certificate of a maker's authority of this deployment.",
    fix: "give either the uncompressed point in hex, or the certificate that trustkern certs made for this maker",
  },
  DEVICE_RECORD_INVALID: {
    exit: EXIT.configuration,
    summary: "A record file of made devices is not of schema trustkern.made-devices/1.",
    fix: "ask the maker for a record file of that schema",
  },
  DEVICE_RECORD_SIGNATURE: {
    exit: EXIT.authentication,
    summary: "A record file of made devices is not signed by the key that its maker is registered with.",
    fix: "compare the maker's key with the registered one; take record files from the maker alone",
  },
  DEVICE_RECORD_CONFLICT: {
    exit: EXIT.policy,
    summary: "A made device's hardware id or key is recorded already, with something else.",
    fix: "ask the maker which of both records is true; revoke the device that is wrong",
  },
  HARDWARE_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "No made device of that hardware id is recorded.",
    fix: "import the maker's record file first: trustkern device import FILE",
  },
  HARDWARE_REVOKED: {
    exit: EXIT.policy,
    summary: "The made device is revoked, which is final.",
    fix: "use another device",
  },
  HARDWARE_NO_GATEWAY: {
    exit: EXIT.configuration,
    summary: "The made device is a sensor, and cannot be a gateway.",
    fix: "name the hardware id of a device whose kind is gateway",
  },
  GATEWAY_UNKNOWN: {
    exit: EXIT.notFound,
    summary: "The backend knows no gateway of that name.",
    fix: "list the gateways with trustkern gateway list, or assign a made device to the name",
  },
  GATEWAY_REVOKED: {
    exit: EXIT.policy,
    summary: "The gateway is revoked, which is final.",
    fix: "give the replacement another name and another device",
  },
  GATEWAY_CONFLICT: {
    exit: EXIT.policy,
    summary: "The name belongs to another device, or the device to another name.",
    fix: "revoke the gateway that is there, or choose another name or device",
  },
  GATEWAY_NO_DEVICE: {
    exit: EXIT.policy,
    summary: "A name has no made device yet, so that nobody could enrol under it.",
    fix: "take the maker's record with trustkern device import, then trustkern gateway assign",
  },
  GATEWAY_ENROLLED: {
    exit: EXIT.policy,
    summary: "The gateway has enrolled already.",
    fix: "if it is to enrol once more: trustkern gateway allow-again",
  },
  ENROLMENT_PEER_REFUSED: {
    exit: EXIT.authentication,
    summary: "A call to the enrolment routes comes from somebody who is not the issuer of that class.",
    fix: "only gateways-ca and operators-ca call these routes, with their own server certificates",
  },
  RENEWAL_EARLY: {
    exit: EXIT.policy,
    summary: "A gateway wants another certificate before half of its present one's life.",
    fix: "wait, or set the gateway's clock right; a gateway that is to renew now is told so by trustkern certs rotate",
  },
  RENEWAL_LIMIT: {
    exit: EXIT.policy,
    summary: "A gateway had more certificates made within an hour than it can need.",
    fix: "look why it does not use what it gets; if somebody else has its key, revoke it: trustkern gateway revoke",
  },
  ISSUING_NONE: {
    exit: EXIT.resource,
    summary: "No issuer for this class of certificate runs in this deployment.",
    fix: "issue the certificate on the operator's machine: trustkern certs issue",
  },
  ISSUING_FAILED: {
    exit: EXIT.resource,
    summary: "The issuer did not answer, or refused.",
    fix: "read the log of gateways-ca or operators-ca, then repeat the request",
  },
});
