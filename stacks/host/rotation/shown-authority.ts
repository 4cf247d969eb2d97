import { connect } from "node:tls";
import { fingerprintOf } from "../pem.ts";

/** Where an online authority is asked for. */
export interface AuthorityEndpoint {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  /** Trust anchors, PEM. */
  readonly anchors: readonly string[];
}

const TIMEOUT_MS = 5_000;

/**
 * Who issued the leaf that a server shows now: SHA-256 over the DER of the issuer's certificate, lower-case hex. An online
 * authority issues its own leaf, so this is what it works with. Undefined where nobody answers, or below other anchors.
 */
export function shownAuthority({ host, port, servername, anchors }: AuthorityEndpoint): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, servername, ca: [...anchors], minVersion: "TLSv1.3", timeout: TIMEOUT_MS });
    const end = (shown?: string): void => {
      socket.destroy();
      resolve(shown);
    };
    socket.once("secureConnect", () => {
      const issuer = socket.getPeerX509Certificate()?.issuerCertificate;
      end(issuer === undefined ? undefined : fingerprintOf(issuer.toString()));
    });
    socket.once("timeout", () => end());
    socket.once("error", () => end());
  });
}
