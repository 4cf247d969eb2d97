import { z } from "zod";

const base64 = z.string().regex(/^[A-Za-z0-9+/]{1,32768}={0,2}$/, "must be base64");

/** What step-ca asks before it signs; members that are not read are left out. */
export const webhookBody = z.looseObject({
  timestamp: z.iso.datetime({ offset: true }),
  provisionerName: z.string().min(1).max(64),
  x509CertificateRequest: z.looseObject({ raw: base64 }),
  x5cCertificate: z.looseObject({ raw: base64 }).optional(),
});

/** What {@link webhookBody} parses to. */
export type WebhookBody = z.infer<typeof webhookBody>;
