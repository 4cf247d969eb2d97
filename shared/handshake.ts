import { readFileSync } from "node:fs";
import { get } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { messageOf } from "./errors.ts";
import type { Handshake, HandshakeAnswer } from "./prober.ts";

/** PostgreSQL's SSLRequest: its length, and the code 80877103 (PostgreSQL, "Message Formats"). */
const SSL_REQUEST = Buffer.from("0000000804d2162f", "hex");

/** OpenSSL refuses to offer what is old, or signed with SHA-1, unless told otherwise: the server is asked, and not this program. */
const OLD = "DEFAULT@SECLEVEL=0";

/**
 * One attempt at TLS. A TLS 1.3 server refuses a client's certificate after the client's own handshake is done (RFC 8446,
 * section 4.4.2.4), so a connection is `taken` when it stays open for a while.
 */
export async function handshake(attempt: Handshake): Promise<HandshakeAnswer> {
  let socket: Socket;
  try {
    socket = await openSocket(attempt);
  } catch (thrown) {
    return { outcome: "away", version: "", why: messageOf(thrown) };
  }
  try {
    return await overTls(socket, attempt);
  } catch (thrown) {
    return { outcome: "untrusted", version: "", why: oneLine(thrown) };
  } finally {
    socket.destroy();
  }
}

function openSocket({ host, port, postgres, timeoutMs }: Handshake): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error("no answer")), timeoutMs);
    const ready = (): void => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(socket);
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      if (!postgres) return ready();
      socket.write(SSL_REQUEST);
      socket.once("data", (answer) =>
        answer[0] === 0x53 ? ready() : fail(new Error("it does not take an SSLRequest")),
      );
      socket.once("end", () => fail(new Error("it ended the connection at the SSLRequest")));
    });
  });
}

function overTls(socket: Socket, attempt: Handshake): Promise<HandshakeAnswer> {
  const { servername, ca, cert, key, minVersion, maxVersion, timeoutMs, settleMs, path } = attempt;
  const old = minVersion === "TLSv1.3" ? {} : { ciphers: OLD };
  const own = cert === undefined || key === undefined ? {} : { cert: bytesOf(cert), key: bytesOf(key) };
  const options = { socket, servername, ca: bytesOf(ca), ...own, minVersion, maxVersion, ...old };
  return new Promise((resolve) => {
    const secure: TLSSocket = connectTls(options);
    let version = "";
    let timer = setTimeout(() => end("away", "no answer to the handshake"), timeoutMs);
    const end = (outcome: HandshakeAnswer["outcome"], why: string): void => {
      clearTimeout(timer);
      secure.destroy();
      resolve({ outcome, version, why });
    };
    secure.once("secureConnect", () => {
      version = secure.getProtocol() ?? "";
      if (path !== undefined) return request(secure, path, end);
      clearTimeout(timer);
      timer = setTimeout(() => end("taken", ""), settleMs);
    });
    if (path === undefined) secure.once("data", () => end("taken", ""));
    // Of these the certificate of the server is the reason; it was not asked whether it takes the client.
    secure.once("error", (error: NodeJS.ErrnoException) =>
      end(isDistrust(error) ? "untrusted" : "refused", oneLine(error)),
    );
    // With a request these are its own to tell: an answer may come with the end of the connection.
    if (path !== undefined) return;
    secure.once("end", () => end("refused", "it ended the connection"));
    secure.once("close", () => end("refused", "it closed the connection"));
  });
}

/** Asks over a connection that is there; an answer that is no 2xx is a refusal, with its first words as the reason. */
function request(secure: TLSSocket, path: string, end: (outcome: "taken" | "refused", why: string) => void): void {
  const asked = get({ createConnection: () => secure, host: "port", path }, (answer) => {
    const { statusCode = 0 } = answer;
    if (statusCode >= 200 && statusCode < 300) return end("taken", "");
    text(answer).then(
      (body) => end("refused", `${statusCode} ${body.replaceAll(/\s+/g, " ").slice(0, 200)}`),
      (thrown: unknown) => end("refused", oneLine(thrown)),
    );
  });
  asked.once("error", (error) => end("refused", oneLine(error)));
}

/** Codes of Node for a server's certificate that its client does not trust (node:tls, "X509 certificate error codes"). */
function isDistrust({ code = "" }: NodeJS.ErrnoException): boolean {
  return /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA|PATH_LENGTH|HOSTNAME_MISMATCH|INVALID_PURPOSE)/.test(
    code,
  );
}

function bytesOf(material: Handshake["ca"]): string | Buffer {
  return "pem" in material ? material.pem : readFileSync(material.file);
}

function oneLine(thrown: unknown): string {
  const { code } = thrown as NodeJS.ErrnoException;
  return (code ?? messageOf(thrown)).replaceAll(/\s+/g, " ").slice(0, 200);
}
