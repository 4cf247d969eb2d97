import { z } from "zod";

const base64 = z.string().regex(/^[A-Za-z0-9+/]{1,32768}={0,2}$/, "must be base64");

/** What step-ca asks before it signs; it has more members. Who asks is not among them, but in {@link PROVISIONER_HEADER}. */
export const webhookBody = z.looseObject({
  timestamp: z.iso.datetime({ offset: true }),
  x509CertificateRequest: z.looseObject({ raw: base64 }),
  x5cCertificate: z.looseObject({ raw: base64 }).optional(),
});

/** Each provisioner has a webhook of its own, which is called as it is. */
export const PROVISIONER_HEADER = "x-smallstep-webhook-id";

/** Value of {@link PROVISIONER_HEADER}. */
export const provisionerName = z.string().regex(/^[a-z0-9-]{1,64}$/, "must be the name of a provisioner");

/** What an issuer asks, and by which of its provisioners. */
export type WebhookBody = z.infer<typeof webhookBody> & { readonly provisionerName: string };
