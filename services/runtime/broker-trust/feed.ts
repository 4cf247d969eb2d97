import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import { httpsGet } from "../https-get.ts";
import type { Tls13Options } from "../tls.ts";
import { brokerTrustErrors } from "./errors.ts";

const PATH = "/v1/broker/trust";
const LIMITS = { timeoutMs: 4000, maxBytes: 64 * 1024 * 1024 } as const;

/** Where a broker learns what is revoked, and how often it asks. */
export const trustFeedConfig = z.strictObject({
  url: z.url({ protocol: /^https$/ }),
  /** Name that the backend's certificate must carry. */
  servername: z.string().min(1),
  /** Seconds between two questions. */
  pollSeconds: z.number().min(0.1).max(30).default(5),
});

/** What {@link trustFeedConfig} parses to. */
export type TrustFeedConfig = Readonly<z.infer<typeof trustFeedConfig>>;

/** A session that must end, in the order in which that was decided. */
const endedSession = z.object({
  seq: z.int().min(0),
  /** Common name of the client's certificate. */
  name: z.string().regex(/^(?:gw|svc|op)-[a-z0-9-]{1,60}$/),
  reason: z.string().regex(/^[a-z-]{1,40}$/),
  /** Serial number of the certificate in hex, where one was revoked. */
  serial: z
    .string()
    .regex(/^[0-9a-fA-F]{1,64}$/)
    .optional(),
});

/** What the backend answers; members that a later backend adds are passed over. */
const brokerTrust = z.object({
  crls: z.array(
    z.object({
      pem: z.string(),
      /** Certificate of the issuer, where the broker's own files do not have it. */
      issuer_pem: z.string().optional(),
    }),
  ),
  ended: z.array(endedSession),
});

/** An {@link endedSession}. */
export type EndedSession = Readonly<z.infer<typeof endedSession>>;

/** What the backend says is revoked. */
export type BrokerTrust = Readonly<z.infer<typeof brokerTrust>>;

/** The PEM texts of an answer. */
export function textsOf({ crls }: BrokerTrust): readonly string[] {
  return crls.flatMap(({ pem, issuer_pem }) => (issuer_pem === undefined ? [pem] : [pem, issuer_pem]));
}

/**
 * Asks the backend once, over mutual TLS 1.3.
 * @throws BROKER_FEED_AWAY also for an answer that is not one
 */
export async function fetchTrust(peer: TrustFeedConfig, tls: Tls13Options): Promise<BrokerTrust> {
  try {
    const parsed = brokerTrust.safeParse(JSON.parse(await httpsGet(peer, PATH, tls, LIMITS)));
    if (parsed.success) return parsed.data;
    throw new Error(parsed.error.issues.map(({ path, message }) => `"${path.join(".")}" ${message}`).join("; "));
  } catch (cause) {
    throw brokerTrustErrors.error("BROKER_FEED_AWAY", `no word from the backend: ${messageOf(cause)}`, {
      path: peer.url,
      cause,
    });
  }
}
