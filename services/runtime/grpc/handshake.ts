import { connect, type TLSSocket } from "node:tls";
import { denialReason } from "../../../certs/denial.ts";
import { handshakeReason } from "../handshake-reason.ts";
import type { Tls13Options } from "../tls.ts";
import { identityProblem } from "./server-identity.ts";

/** One gRPC server behind a name. */
export interface ServerAddress {
  /** IP address. */
  readonly address: string;
  readonly port: number;
  readonly servername: string;
}

/** What a handshake came to that did not end in trust on both sides; null where nobody refused anybody. */
export type HandshakeProblem = string | null;

/** Longest wait for a server's first word. */
const LIMIT_MS = 3000;

/**
 * Why a gRPC server is not spoken to: a handshake that is made to find that out, since gRPC says no more than that nobody
 * answers. Null for who is away, and for who speaks to us. `hung-up-on` where the server is the right one and ends the connection:
 * with TLS 1.3 it looks at our certificate when the handshake is over here (RFC 8446, section 4.4.2.4), and its own events say why.
 */
export function handshakeProblem(
  { address, port, servername }: ServerAddress,
  tls: Tls13Options,
): Promise<HandshakeProblem> {
  return new Promise((resolve) => {
    let trusted = false;
    const socket: TLSSocket = connect({
      ...tls,
      host: address,
      port,
      servername,
      ALPNProtocols: ["h2"],
      checkServerIdentity: (_, certificate) => identityProblem(servername, certificate),
    });
    const end = (problem: HandshakeProblem): void => {
      socket.destroy();
      resolve(problem);
    };
    const hungUp = (): void => end(trusted ? "hung-up-on" : null);
    socket.setTimeout(LIMIT_MS, () => end(null));
    socket.once("secureConnect", () => {
      trusted = true;
    });
    // An HTTP/2 server speaks first (RFC 9113, section 3.4).
    socket.once("data", () => end(null));
    socket.once("close", hungUp);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (trusted || error.syscall !== undefined) hungUp();
      else end(denialReason(error) ?? handshakeReason(error, socket));
    });
  });
}
