import { z } from "zod";
import type { Tls13Options } from "../../runtime/tls.ts";

/** Where custody's broker is asked: at its Unix socket, or over mutual TLS, where several may be behind one name. */
export const custodyConfig = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("unix"), socket: z.string().min(1) }),
  z.strictObject({
    kind: z.literal("mtls"),
    /** Name or address; every address of a name is a custody broker. */
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    /** Name that each one's certificate must carry. */
    servername: z.string().min(1),
  }),
]);

type CustodyConfig = z.infer<typeof custodyConfig>;

/** {@link custodyConfig} with the certificates of now, as threads are handed it. */
export type CustodyAccess =
  | Extract<CustodyConfig, { readonly kind: "unix" }>
  | (Extract<CustodyConfig, { readonly kind: "mtls" }> & { readonly tls: Tls13Options });

/** Plain values of both, which can be sent to a thread. */
export function accessOf(config: CustodyConfig, tls: Tls13Options): CustodyAccess {
  return config.kind === "unix" ? config : { ...config, tls: { ...tls } };
}
