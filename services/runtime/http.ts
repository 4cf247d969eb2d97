import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { EXIT, TrustKernError } from "../../shared/errors.ts";
import { runtimeErrors } from "./errors.ts";

/** Methods that our JSON services know. */
export type HttpMethod = "GET" | "POST" | "PUT" | "DELETE";

/** What a handler gets beside the body. */
export interface RouteRequest {
  /** The `:name` parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
}

/** One route of a JSON service; the result of `handler` is the answer's body. */
export interface Route {
  readonly method: HttpMethod;
  /** Such as `/sensors/:id/measure`. */
  readonly path: string;
  readonly handler: (body: unknown, request: RouteRequest) => unknown;
}

/** How {@link jsonListener} treats requests. */
export interface JsonListenerOptions {
  readonly routes: () => readonly Route[];
  /** Called with whatever a request threw, before it is answered. */
  readonly onError: (thrown: unknown, message: IncomingMessage) => void;
  /** Runs before the body is read; throws to refuse. */
  readonly admit?: (message: IncomingMessage, pathname: string) => void;
  /** @default 65536 */
  readonly maxBodyBytes?: number;
}

const STATUS_OF_EXIT: Readonly<Record<number, number>> = {
  [EXIT.configuration]: 400,
  [EXIT.authentication]: 403,
  [EXIT.notFound]: 404,
  [EXIT.policy]: 409,
  [EXIT.resource]: 503,
  [EXIT.timeout]: 504,
};

/** A listener that answers JSON: 200 with the handler's result, or `{"error":{code,message,path,fix}}`. */
export function jsonListener(options: JsonListenerOptions): RequestListener {
  return (message, response) => {
    answer(options, message)
      .then((value) => send(response, 200, value ?? null))
      .catch((thrown: unknown) => {
        options.onError(thrown, message);
        const error = thrown instanceof TrustKernError ? thrown : internal();
        // What is left of a refused body is not worth reading.
        if (!message.complete) response.setHeader("connection", "close");
        send(response, statusOf(error), { error: errorBody(error) });
      });
  };
}

/** The public form of an error, as the command line and the services print it. */
export function errorBody({ code, message, path, fix }: TrustKernError): Record<string, string | null> {
  return { code, message, path: path ?? null, fix };
}

function internal(): TrustKernError {
  return runtimeErrors.error("SERVICE_INTERNAL", "the service failed");
}

function statusOf(error: TrustKernError): number {
  return error.code === "HTTP_BODY_TOO_LARGE" ? 413 : (STATUS_OF_EXIT[error.exit] ?? 500);
}

async function answer(options: JsonListenerOptions, message: IncomingMessage): Promise<unknown> {
  const url = URL.parse(message.url ?? "/", "http://service");
  const pathname = url?.pathname ?? "/";
  options.admit?.(message, pathname);
  const body = await readBody(message, options.maxBodyBytes ?? 65_536);
  for (const route of options.routes()) {
    const params = route.method === message.method ? matchPath(route.path, pathname) : null;
    if (params) return route.handler(body, { params, query: url?.searchParams ?? new URLSearchParams(), message });
  }
  throw runtimeErrors.error("HTTP_NO_ROUTE", `no route ${message.method} ${pathname}`);
}

function matchPath(pattern: string, pathname: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = pathname.split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = value;
    else if (part !== value) return null;
  }
  return params;
}

async function readBody(message: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) throw runtimeErrors.error("HTTP_BODY_TOO_LARGE", `body exceeds ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw runtimeErrors.error("HTTP_BODY_INVALID", "body is not UTF-8 JSON");
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
