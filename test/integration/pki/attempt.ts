import { type ConnectionOptions, connect } from "node:tls";

/** How long a server that says nothing is waited for; it has then taken the certificate. */
const QUIET_MS = 1_500;

/**
 * Opens a TLS connection and sends nothing: the code of the alert with which the server ends it, or "accepted". With TLS 1.3 the
 * client has finished its own half of the handshake before the server looks at its certificate.
 */
export async function attempt(options: ConnectionOptions): Promise<string> {
  const socket = connect(options);
  const outcome = await new Promise<string>((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("close", () => resolve("closed without an alert"));
    socket.once("secureConnect", () => setTimeout(() => resolve("accepted"), QUIET_MS));
  });
  socket.destroy();
  return outcome;
}
