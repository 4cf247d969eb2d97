import { catalogue, EXIT } from "../../../shared/errors.ts";

/** Error codes of the CoAP endpoint. */
export const coapErrors = catalogue({
  COAP_NO_ANSWER: {
    exit: EXIT.timeout,
    summary: "A confirmable CoAP request was sent as often as RFC 7252 allows, and nobody answered.",
    fix: "check that the gateway runs and that its UDP port is reachable; the message is kept and sent again",
  },
  COAP_RESET: {
    exit: EXIT.failed,
    summary: "The peer answered a CoAP request with a reset: it does not know what to do with it.",
    fix: "check that the address is that of a TrustKern gateway",
  },
  COAP_PORT: {
    exit: EXIT.resource,
    summary: "The UDP port of the CoAP server cannot be opened.",
    fix: "stop the program that holds it, or choose another coap.port",
  },
});
