import { CONTENT_FORMAT } from "../../runtime/coap/message.ts";
import type { CoapAnswer, CoapRequest } from "../../runtime/coap/server.ts";
import type { Intake, IntakeResult } from "./intake.ts";

const METHOD = { get: "0.01", post: "0.02" } as const;
const INGEST_PATH = "/tk/v1";
const DISCOVERY_PATH = "/.well-known/core";
/** RFC 6690: one resource of type `trustkern.envelope` that takes CBOR. */
const LINKS = `<${INGEST_PATH}>;rt="trustkern.envelope";ct=${CONTENT_FORMAT.cbor}`;

/** What {@link createCoapResources} is handed. */
export interface CoapResourceOptions {
  readonly intake: Intake;
  /** The update to hand over to a sensor with its 2.04, or undefined. */
  readonly updateFor: (sensorId: string) => Uint8Array | undefined;
  /** Told every result, before it is answered. */
  readonly onResult: (result: IntakeResult, source: string) => void;
}

/** The gateway's two CoAP resources: `POST /tk/v1` and `GET /.well-known/core`. */
export function createCoapResources(options: CoapResourceOptions): (request: CoapRequest) => Promise<CoapAnswer> {
  async function ingest({ payload, source }: CoapRequest): Promise<CoapAnswer> {
    const result = await options.intake(payload, source.address);
    options.onResult(result, source.address);
    if (result.kind === "unavailable") return text("5.03", result.reason);
    if (result.kind === "accepted") return done(result.sensorId);
    if (result.verdict === "duplicate" && result.sensorId !== null) return done(result.sensorId);
    return text("4.00", result.verdict);
  }

  function done(sensorId: string): CoapAnswer {
    const payload = options.updateFor(sensorId);
    return payload ? { code: "2.04", payload, contentFormat: CONTENT_FORMAT.cbor } : { code: "2.04" };
  }

  return async (request) => {
    if (request.path === INGEST_PATH) return request.method === METHOD.post ? ingest(request) : { code: "4.05" };
    if (request.path !== DISCOVERY_PATH) return { code: "4.04" };
    if (request.method !== METHOD.get) return { code: "4.05" };
    return { code: "2.05", payload: Buffer.from(LINKS), contentFormat: CONTENT_FORMAT.linkFormat };
  };
}

function text(code: string, word: string): CoapAnswer {
  return { code, payload: Buffer.from(word), contentFormat: CONTENT_FORMAT.text };
}
