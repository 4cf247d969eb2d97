import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { ScramVerifier } from "../runtime/postgres/scram-verifier.ts";
import { createAuthentication } from "./authentication.ts";
import { DATABASE_NAME } from "./engine.ts";
import type { AttachedClient, Multiplexer } from "./multiplexer.ts";
import { startSettings } from "./start-settings.ts";
import { authentication, errorResponse, welcome } from "./wire-answers.ts";
import { createFrameReader, type Frame, FrameError, typeOf } from "./wire-frames.ts";
import { parseStartup } from "./wire-startup.ts";

/** What a connection needs of the server. */
export interface ConnectionOptions {
  readonly multiplexer: Pick<Multiplexer, "attach">;
  /** The password verifier of a user, also of one that does not exist. */
  readonly verifierOf: (user: string) => ScramVerifier;
  /** Asked when a client has proved who it is; the text of a refusal where there is no room for it. */
  readonly onLogin: () => string | undefined;
  /** Told the user name of a client that failed to authenticate, or that asked for a login without TLS. */
  readonly onRefused: (user: string, reason: "password" | "plaintext") => void;
  /** What TLS is served with; no login is taken without TLS then. */
  readonly secure: SecureContext | undefined;
  /** Number that the client is told as its process id. */
  readonly id: number;
}

/** A client that is refused has that long to close its side. */
const END_LIMIT_MS = 1_000;
const MAX_MESSAGE_BYTES = 67_108_864;
const MAX_LOGIN_MESSAGE_BYTES = 2_048;
/** Above that a client's socket is not read until the engine caught up. */
const MAX_PENDING_BYTES = 16_777_216;

/** Serves one client from its startup packet to its end. */
export function serveConnection(plain: Socket, options: ConnectionOptions): void {
  let socket = plain;
  let client: AttachedClient | undefined;
  let receive: (chunk: Buffer) => void = awaitStartup(Buffer.alloc(0));

  const end = (sqlState: string, message: string): void => {
    receive = () => {};
    socket.end(errorResponse("FATAL", sqlState, message));
    socket.setTimeout(END_LIMIT_MS, () => socket.destroy());
  };
  const letIn = (user: string, parameters: ReadonlyMap<string, string>): void => {
    const refusal = options.onLogin();
    if (refusal !== undefined) {
      end("53300", refusal);
      return;
    }
    socket.write(welcome(user, parameters.get("application_name") ?? "", options.id));
    client = options.multiplexer.attach({
      role: user,
      settings: startSettings(parameters),
      answer: (bytes) => {
        socket.write(bytes);
        if (socket.isPaused() && (client?.pendingBytes() ?? 0) < MAX_PENDING_BYTES) socket.resume();
      },
      expel: end,
    });
    receive = awaitMessages(client);
  };
  function awaitStartup(begun: Buffer): (chunk: Buffer) => void {
    return (chunk) => {
      const bytes = Buffer.concat([begun, chunk]);
      const parsed = parseStartup(bytes);
      receive = awaitStartup(parsed?.rest ?? bytes);
      if (!parsed) return;
      const { startup, rest } = parsed;
      if (startup.kind === "tls") answerTlsRequest(rest);
      if (startup.kind === "gss") socket.write("N");
      if (startup.kind === "cancel") socket.end();
      if (startup.kind === "startup") beginLogin(startup.parameters);
      if (rest.length > 0) receive(rest);
    };
  }
  /** SSLRequest (protocol 3.0, section 53.2.12). What follows it unencrypted is nobody's that TLS could vouch for. */
  const answerTlsRequest = (rest: Buffer): void => {
    if (options.secure === undefined || socket !== plain) {
      socket.write("N");
    } else if (rest.length > 0) {
      end("08P01", "received unencrypted data after SSL request");
    } else {
      plain.removeAllListeners("data");
      plain.write("S");
      socket = new TLSSocket(plain, { isServer: true, secureContext: options.secure });
      attend();
    }
  };
  const beginLogin = (parameters: ReadonlyMap<string, string>): void => {
    const wrong = startupMistake(parameters);
    if (wrong) {
      end(...wrong);
      return;
    }
    const user = parameters.get("user") ?? "";
    if (options.secure !== undefined && socket === plain) {
      options.onRefused(user, "plaintext");
      end("28000", `no login without TLS for user "${user}"`);
      return;
    }
    const login = createAuthentication(options.verifierOf(user));
    const reader = createFrameReader(MAX_LOGIN_MESSAGE_BYTES);
    receive = (chunk) => {
      // The client waits for each answer, so that there is one message at a time.
      const [message] = reader.push(chunk);
      if (!message) return;
      const { answer, done } = login(message);
      if (answer) socket.write(answer);
      if (done) letIn(user, parameters);
      if (answer) return;
      options.onRefused(user, "password");
      end("28P01", `password authentication failed for user "${user}"`);
    };
    socket.write(authentication(10, "SCRAM-SHA-256\0\0"));
  };
  const awaitMessages = (attached: AttachedClient): ((chunk: Buffer) => void) => {
    const reader = createFrameReader(MAX_MESSAGE_BYTES);
    return (chunk) => {
      const frames = reader.push(chunk);
      const last = frames.findIndex((message) => typeOf(message) === "X");
      const wanted: readonly Frame[] = last < 0 ? frames : frames.slice(0, last);
      if (wanted.length > 0) attached.push(wanted);
      if (last >= 0) socket.end();
      else if (attached.pendingBytes() > MAX_PENDING_BYTES) socket.pause();
    };
  };

  const attend = (): void => {
    socket.on("data", (chunk: Buffer) => {
      try {
        receive(chunk);
      } catch (thrown) {
        if (!(thrown instanceof FrameError)) throw thrown;
        end("08P01", thrown.message);
      }
    });
    socket.on("error", () => socket.destroy());
  };
  plain.setNoDelay(true);
  plain.on("close", () => client?.leave());
  attend();
}

function startupMistake(parameters: ReadonlyMap<string, string>): readonly [sqlState: string, message: string] | null {
  const user = parameters.get("user") ?? "";
  const database = parameters.get("database") ?? user;
  if (user === "") return ["28000", "no user name in the startup packet"];
  if (parameters.has("replication")) return ["0A000", "replication is not served"];
  if (database === DATABASE_NAME) return null;
  return ["3D000", `database "${database}" does not exist; the one that is served is "${DATABASE_NAME}"`];
}
