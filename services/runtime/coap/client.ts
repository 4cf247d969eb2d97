import { randomBytes, randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { generate, type NamedOption } from "coap-packet";
import { blockBytes, parseBlock, renderBlock } from "./block.ts";
import { coapErrors } from "./errors.ts";
import { type CoapMessage, type Endpoint, optionOf, parseDatagram, renderUint } from "./message.ts";

/** Transmission parameters of RFC 7252, section 4.8. */
export interface CoapTiming {
  /** Time to the first repeat; the actual one is 1 to 1.5 times this, and doubles. @default 2000 */
  readonly ackTimeoutMs?: number | undefined;
  /** Repeats of one datagram. @default 4 */
  readonly maxRetransmit?: number | undefined;
}

/** One request of a client. */
export interface CoapClientRequest {
  readonly method: "GET" | "POST";
  /** Such as `/tk/v1`. */
  readonly path: string;
  /** Above 1024 bytes it goes in blocks (RFC 7959). @default none */
  readonly payload?: Uint8Array | undefined;
  /** @default none */
  readonly contentFormat?: number | undefined;
}

/** What came back: the code such as `2.04`, and the payload. */
export interface CoapClientAnswer {
  readonly code: string;
  readonly payload: Buffer;
}

/** A CoAP endpoint of its own, with its own UDP port. Takes piggybacked answers (RFC 7252, section 5.2.1). */
export interface CoapClient {
  /**
   * Sends one confirmable request. One at a time (NSTART is 1): the caller waits for the answer.
   * @throws COAP_NO_ANSWER
   * @throws COAP_RESET
   */
  readonly request: (request: CoapClientRequest) => Promise<CoapClientAnswer>;
  readonly close: () => void;
}

interface Sent {
  readonly messageId: number;
  readonly token: Buffer;
}

const LARGEST_EXPONENT = 6;
const MAX_DATAGRAM_BYTES = 2048;
/** Not to be guessed by who cannot read along (RFC 7252, section 5.3.1: at least 32 bits). */
const TOKEN_BYTES = 8;
/** RFC 7252, section 4.8: ACK_RANDOM_FACTOR is 1.5. */
const RANDOM_SPREAD = 0.5;

/** Makes a client of the server at that endpoint. */
export function createCoapClient(server: Endpoint, timing: CoapTiming = {}): CoapClient {
  const { ackTimeoutMs = 2000, maxRetransmit = 4 } = timing;
  let messageId = randomInt(0x10000);
  let waiting: { readonly sent: Sent; readonly take: (message: CoapMessage) => void } | undefined;
  const socket: Socket = createSocket(server.address.includes(":") ? "udp6" : "udp4");
  let connected: Promise<void> | undefined;
  let isConnected = false;
  socket.on("error", () => undefined);
  socket.on("message", (datagram) => {
    const message = parseDatagram(datagram);
    if (message && waiting && isAnswerTo(waiting.sent, message)) waiting.take(message);
  });
  socket.unref();

  /** Connected, the kernel takes datagrams of the server alone: nobody else reaches the port. */
  function connect(): Promise<void> {
    connected ??= new Promise<void>((resolve, reject) => {
      socket.connect(server.port, server.address, (error?: Error) => {
        isConnected = error === undefined;
        if (isConnected) return resolve();
        connected = undefined;
        reject(error);
      });
    });
    return connected;
  }

  /** The next request looks where the server is by then. */
  function disconnect(): void {
    if (!isConnected) return;
    isConnected = false;
    connected = undefined;
    socket.disconnect();
  }

  function exchange(datagram: Buffer, sent: Sent): Promise<CoapMessage> {
    return new Promise((resolve, reject) => {
      let timeoutMs = ackTimeoutMs * (1 + RANDOM_SPREAD * Math.random());
      let repeats = 0;
      let timer: NodeJS.Timeout;
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        waiting = undefined;
        end();
      };
      const transmit = (): void => {
        connect()
          .then(() => socket.send(datagram, () => undefined))
          .catch(() => undefined);
        timer = setTimeout(() => {
          if (repeats === maxRetransmit) {
            disconnect();
            return settle(() => reject(noAnswer(server, maxRetransmit + 1)));
          }
          repeats += 1;
          timeoutMs *= 2;
          transmit();
        }, timeoutMs);
      };
      waiting = {
        sent,
        take: (message) => settle(() => (message.reset ? reject(reset(server)) : resolve(message))),
      };
      transmit();
    });
  }

  function sendOne(
    request: CoapClientRequest,
    payload: Uint8Array,
    extra: readonly NamedOption[],
  ): Promise<CoapMessage> {
    messageId = (messageId + 1) % 0x10000;
    const options: NamedOption[] = request.path
      .split("/")
      .filter((part) => part !== "")
      .map((part) => ({ name: "Uri-Path", value: Buffer.from(part) }));
    if (request.contentFormat !== undefined)
      options.push({ name: "Content-Format", value: renderUint(request.contentFormat) });
    const sent: Sent = { messageId, token: randomBytes(TOKEN_BYTES) };
    const head = { confirmable: true, code: request.method, ...sent };
    const packet = { ...head, options: [...options, ...extra], payload: Buffer.from(payload) };
    return exchange(generate(packet, MAX_DATAGRAM_BYTES), sent);
  }

  async function sendBlocks(request: CoapClientRequest, body: Uint8Array): Promise<CoapMessage> {
    let exponent = LARGEST_EXPONENT;
    for (let offset = 0; ; ) {
      const size = blockBytes(exponent);
      const more = offset + size < body.length;
      const value = renderBlock({ number: offset / size, more, exponent });
      const answer = await sendOne(request, body.subarray(offset, offset + size), [{ name: "Block1", value }]);
      if (answer.code !== "2.31") return answer;
      offset += size;
      exponent = Math.min(exponent, parseBlock(optionOf(answer, "Block1") ?? value)?.exponent ?? exponent);
    }
  }

  return {
    async request(request) {
      const body = request.payload ?? new Uint8Array();
      const inBlocks = body.length > blockBytes(LARGEST_EXPONENT);
      const { code, payload } = inBlocks ? await sendBlocks(request, body) : await sendOne(request, body, []);
      return { code, payload };
    },
    close: () => {
      isConnected = false;
      socket.close();
    },
  };
}

/** RFC 7252, sections 4.4 and 5.3.2: a reset carries no token, an answer the one of its request. */
function isAnswerTo({ messageId, token }: Sent, message: CoapMessage): boolean {
  if (message.messageId !== messageId) return false;
  return message.reset || (message.ack && message.token.equals(token));
}

function noAnswer({ address, port }: Endpoint, times: number): Error {
  return coapErrors.error("COAP_NO_ANSWER", `no answer from ${address}:${port} after ${times} datagrams`);
}

function reset({ address, port }: Endpoint): Error {
  return coapErrors.error("COAP_RESET", `${address}:${port} answered with a reset`);
}
