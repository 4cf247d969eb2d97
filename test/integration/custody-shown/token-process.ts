import { openPkcs11Store, type Pkcs11StoreRef } from "../../../custody/backends/pkcs11.ts";
import { serveToken } from "../../../services/custody/token-server.ts";

/** What this process serves, as JSON in its one argument. */
export interface TokenProcess extends Pkcs11StoreRef {
  /** Path of the Unix socket. */
  readonly socket: string;
}

const { socket, ...place }: TokenProcess = JSON.parse(process.argv[2] ?? "{}");
await serveToken({
  store: await openPkcs11Store(place),
  socket,
  // A test asks for nothing that is refused.
  onRefused: () => process.exit(1),
});
