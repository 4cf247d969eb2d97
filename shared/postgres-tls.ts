import { type ConnectionOptions, checkServerIdentity } from "node:tls";

/** How a database's certificate is verified. */
export interface PostgresTls {
  /** Trust anchors, PEM. */
  readonly ca: string;
  /** Name that the certificate must carry, whatever address it is reached at. */
  readonly servername: string;
}

/** The `ssl` option of `pg` that is `sslmode=verify-full` over TLS 1.3: the library refuses a server that offers no TLS. */
export function postgresTls({ ca, servername }: PostgresTls): ConnectionOptions {
  return {
    ca,
    servername,
    minVersion: "TLSv1.3",
    rejectUnauthorized: true,
    // The library puts the host in place of the name that is given.
    checkServerIdentity: (_, certificate) => checkServerIdentity(servername, certificate),
  };
}
