import { hash } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { generate, type NamedOption } from "coap-packet";
import { messageOf } from "../../../shared/errors.ts";
import type { ListenConfig } from "../config.ts";
import { parseBlock, renderBlock } from "./block.ts";
import { createBlockAssembler } from "./block-assembler.ts";
import { coapErrors } from "./errors.ts";
import { createExchangeCache } from "./exchange-cache.ts";
import {
  type CoapMessage,
  type Endpoint,
  hasUnknownCriticalOption,
  optionOf,
  parseDatagram,
  pathOf,
  renderUint,
} from "./message.ts";

/** A whole request, its blocks put together. */
export interface CoapRequest {
  /** `0.01` GET, `0.02` POST, `0.03` PUT, `0.04` DELETE. */
  readonly method: string;
  /** Such as `/tk/v1`. */
  readonly path: string;
  /** A body that outgrew `maxBodyBytes` comes as far as it was read, so longer than that. */
  readonly payload: Buffer;
  readonly source: Endpoint;
}

/** The answer to one request. */
export interface CoapAnswer {
  /** Such as `2.04`. */
  readonly code: string;
  /** At most 1024 bytes. @default none */
  readonly payload?: Uint8Array | undefined;
  /** RFC 7252, section 12.3. @default none */
  readonly contentFormat?: number | undefined;
}

/** What {@link createCoapServer} is handed. */
export interface CoapServerOptions {
  readonly handle: (request: CoapRequest) => Promise<CoapAnswer>;
  /** Whether a datagram of that address may cost any work; false drops it in silence. */
  readonly admit: (address: string) => boolean;
  readonly maxBodyBytes: number;
  /** Clock in milliseconds. */
  readonly now: () => number;
  /** Told about an answer that could not be made; the request gets 5.00. */
  readonly onError: (error: unknown) => void;
}

/** A CoAP server on one UDP port, at one address or several (RFC 7252, Block1 of RFC 7959). */
export interface CoapServer {
  /** Gives the first address, and the port that all of them have. @throws COAP_PORT */
  readonly listen: (addresses: ListenConfig) => Promise<Endpoint>;
  readonly close: () => Promise<void>;
}

/** RFC 7252, section 4.8.2. */
const EXCHANGE_LIFETIME_MS = 247_000;
const RECEIVE_BUFFER_BYTES = 1 << 20;
const MAX_DATAGRAM_BYTES = 2048;
/** RFC 9175, section 3.2.1. */
const REQUEST_TAG = "292";
const BOUNDS = { lifetimeMs: EXCHANGE_LIFETIME_MS, maxTransfers: 512, maxExchanges: 16_384 } as const;

/** Makes a server; every request gets one answer, however often its datagram comes. */
export function createCoapServer(options: CoapServerOptions): CoapServer {
  const exchanges = createExchangeCache({ ...BOUNDS, now: options.now });
  const assembler = createBlockAssembler({ ...BOUNDS, maxBodyBytes: options.maxBodyBytes, now: options.now });
  const sockets: Socket[] = [];

  function render(message: CoapMessage, answer: CoapAnswer, block: Buffer | undefined): Buffer {
    const options: NamedOption[] = [];
    if (answer.contentFormat !== undefined)
      options.push({ name: "Content-Format", value: renderUint(answer.contentFormat) });
    if (block) options.push({ name: "Block1", value: block });
    const type = message.confirmable ? { ack: true } : {};
    const payload = Buffer.from(answer.payload ?? []);
    const { messageId, token } = message;
    return generate({ ...type, code: answer.code, messageId, token, options, payload }, MAX_DATAGRAM_BYTES);
  }

  async function answerTo(message: CoapMessage, source: Endpoint): Promise<Buffer> {
    if (hasUnknownCriticalOption(message)) return render(message, { code: "4.02" }, undefined);
    const path = pathOf(message);
    const blockValue = optionOf(message, "Block1");
    if (!blockValue) {
      const request = { method: message.code, path, payload: message.payload, source };
      return render(message, await options.handle(request), undefined);
    }
    const block = parseBlock(blockValue);
    if (!block) return render(message, { code: "4.00" }, undefined);
    const outcome = assembler.take(transferKey(message, path, source), block, message.payload);
    if (outcome.kind === "incomplete") return render(message, { code: "4.08" }, renderBlock(block));
    if (outcome.kind === "continue") return render(message, { code: "2.31" }, renderBlock(block));
    const answer = await options.handle({ method: message.code, path, payload: outcome.body, source });
    return render(message, answer, renderBlock(block));
  }

  // An answer leaves from the address that was asked.
  async function take(socket: Socket, datagram: Buffer, source: RemoteInfo): Promise<void> {
    const send = (answer: Buffer): void => socket.send(answer, source.port, source.address, () => undefined);
    if (!options.admit(source.address)) return;
    const message = parseDatagram(datagram);
    if (!message || message.ack || message.reset) return;
    if (!message.code.startsWith("0.") || message.code === "0.00") {
      if (message.confirmable) send(generate({ reset: true, code: "0.00", messageId: message.messageId }));
      return;
    }
    // A board that restarted counts its message ids anew: only the same bytes are the same request.
    const key = `${source.address} ${source.port} ${hash("sha256", datagram, "base64")}`;
    const known = exchanges.begin(key);
    if (known === "pending") return;
    if (known !== "new") return send(known);
    const answer = await answerTo(message, source).catch((error: unknown) => {
      options.onError(error);
      return render(message, { code: "5.00" }, undefined);
    });
    exchanges.finish(key, answer);
    send(answer);
  }

  async function bind(host: string, port: number): Promise<Endpoint> {
    const type = host.includes(":") ? "udp6" : "udp4";
    const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", (cause) =>
        reject(coapErrors.error("COAP_PORT", `cannot listen on UDP ${host}:${port}: ${messageOf(cause)}`, { cause })),
      );
      socket.on("message", (datagram, source) => void take(socket, datagram, source));
      socket.bind(port, host, resolve);
    });
    socket.removeAllListeners("error");
    socket.on("error", options.onError);
    sockets.push(socket);
    return socket.address();
  }

  return {
    async listen({ hosts: [first, ...others], port }) {
      const endpoint = await bind(first, port);
      for (const host of others) await bind(host, endpoint.port);
      return endpoint;
    },
    close: async () => {
      const open = sockets.splice(0);
      await Promise.all(open.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    },
  };
}

/** What makes blocks one body (RFC 7959, section 2.5; RFC 9175, section 3.3). The token may change from block to block. */
function transferKey(message: CoapMessage, path: string, { address, port }: Endpoint): string {
  const tags = message.options.filter(({ name }) => String(name) === REQUEST_TAG);
  return [address, port, message.code, path, ...tags.map(({ value }) => value.toString("hex"))].join(" ");
}
