import { rmSync } from "node:fs";
import { z } from "zod";
import { signCsr } from "../../../certs/step-ca/client.ts";
import { PROVISIONERS } from "../../../certs/step-ca/names.ts";
import { x5cToken } from "../../../certs/step-ca/tokens.ts";
import { readText } from "../../runtime/tls.ts";
import type { GatewayConfig } from "../config.ts";
import { gatewayErrors } from "../errors.ts";
import type { BackendClient } from "./backend-client.ts";
import { deviceRequest } from "./certificate-request.ts";
import { type CredentialTexts, parseCredential, tokenOf } from "./credential.ts";

/** Where a gateway without a certificate gets its first one, and what vouches for it. */
export type EnrolmentTarget = NonNullable<GatewayConfig["enrolment"]>;

type AtAuthority = Extract<EnrolmentTarget, { readonly caUrl: string }>;
type WithToken = Extract<EnrolmentTarget, { readonly tokenFile: string }>;

/** What {@link firstCertificate} is handed. */
export interface FirstCertificateOptions {
  readonly gateway: string;
  readonly target: EnrolmentTarget;
  /** Trust anchors in force, PEM. */
  readonly ca: () => string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Needed where a token opens the way. */
  readonly client: Pick<BackendClient, "call"> | undefined;
  /** @default the real authority's */
  readonly sign?: typeof signCsr;
}

const HTTPS_PORT = 443;
const ENROLMENT_TOKEN = /^ge_[A-Za-z0-9_-]{54}$/;
const answerSchema = z.object({ chain: z.string(), token: z.object({ token: z.string() }) });

/**
 * Makes the function that asks for the first certificate, of the device's own root-of-trust key: at the gateways' authority,
 * with the maker's certificate alone; or at the backend, with a one-time token beside it, which gives the first bearer token too.
 */
export function firstCertificate(options: FirstCertificateOptions): () => Promise<CredentialTexts> {
  const { target } = options;
  return "caUrl" in target ? () => askAuthority(options, target) : () => askBackend(options, target);
}

async function askAuthority(
  { gateway, ca, now, sign = signCsr }: FirstCertificateOptions,
  { caUrl, servername, deviceKeyFile, deviceCertFile }: AtAuthority,
): Promise<CredentialTexts> {
  const url = new URL(caUrl);
  const key = readText(deviceKeyFile);
  const { csr: csrPem } = await deviceRequest(gateway, key);
  const token = await x5cToken({
    provisioner: PROVISIONERS.makers,
    keyPem: key,
    chainPem: readText(deviceCertFile),
    servername,
    use: "sign",
    subject: gateway,
    csrPem,
    now: new Date(now()),
  });
  const endpoint = { host: url.hostname, port: Number(url.port || HTTPS_PORT), servername, rootPem: ca() };
  return { cert: await sign(endpoint, { token, csrPem }), key, token: null };
}

async function askBackend(
  { gateway, client }: FirstCertificateOptions,
  { tokenFile, deviceKeyFile, deviceCertFile }: WithToken,
): Promise<CredentialTexts> {
  const key = readText(deviceKeyFile);
  const enrolmentToken = readText(tokenFile).trim();
  if (!ENROLMENT_TOKEN.test(enrolmentToken)) throw unusable("the enrolment token has another form");
  const credential = parseCredential({ cert: readText(deviceCertFile), key, token: enrolmentToken });
  if (credential === null || client === undefined)
    throw unusable("the device's certificate and key do not belong together, or no backend is named");
  const { csr } = await deviceRequest(gateway, key);
  const answer = await client.call({ method: "POST", path: "/v1/device/enrolment", body: { csr }, credential });
  const parsed = answerSchema.safeParse(answer);
  const token = parsed.success ? tokenOf(parsed.data.token.token) : null;
  if (!parsed.success || token === null) throw unusable("the backend's answer is no chain with a token");
  forget(tokenFile);
  return { cert: parsed.data.chain, key, token };
}

/** It is used up: whoever finds the file has nothing, and it need not lie there. */
function forget(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A folder that may not be written keeps it.
  }
}

function unusable(message: string): Error {
  return gatewayErrors.error("GATEWAY_ENROLMENT_UNUSABLE", message, { path: "enrolment" });
}
