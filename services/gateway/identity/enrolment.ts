import { signCsr } from "../../../certs/step-ca/client.ts";
import { PROVISIONERS } from "../../../certs/step-ca/names.ts";
import { x5cToken } from "../../../certs/step-ca/tokens.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { readText } from "../../runtime/tls.ts";
import { gatewayErrors } from "../errors.ts";
import { deviceRequest } from "./certificate-request.ts";
import { type Credential, credentialProblem, parseCredential } from "./credential.ts";
import type { Identity } from "./identity.ts";
import type { IdentityFile } from "./identity-file.ts";

/** Where a gateway without a certificate gets its first one, and what vouches for it. */
export interface EnrolmentTarget {
  /** `https://host:port` of the gateways' authority. */
  readonly caUrl: string;
  /** Name that the authority's certificate must carry. */
  readonly servername: string;
  /** The device's certificate and then its issuers, PEM. */
  readonly deviceCertFile: string;
  /** PKCS#8 PEM of the device's key, which becomes the first certificate's. */
  readonly deviceKeyFile: string;
}

/** What {@link createEnrolment} is handed. */
export interface EnrolmentOptions {
  readonly gateway: string;
  readonly target: EnrolmentTarget;
  readonly identity: Pick<Identity, "credentials">;
  readonly file: IdentityFile;
  /** Trust anchors in force, PEM. */
  readonly ca: () => string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly onEnrolled: (credential: Credential) => void;
  readonly onFailure: (thrown: unknown) => void;
  /** @default the real authority's */
  readonly sign?: typeof signCsr;
}

const MINUTE_MS = 60_000;
/** A refusal is not changed by asking; an operator's word is, and comes in its own time. */
const PAUSE_MS = { away: MINUTE_MS, refused: 15 * MINUTE_MS } as const;
const MAX_PAUSE_MS = 240 * MINUTE_MS;
const HTTPS_PORT = 443;

/** Makes the function that enrols the gateway where it has no certificate that holds; to be called about once a minute. */
export function createEnrolment(options: EnrolmentOptions): () => Promise<void> {
  const { now } = options;
  let running = false;
  let failures = 0;
  let nextMs = 0;

  return async () => {
    if (running || now() < nextMs || hasCertificate(options)) return;
    running = true;
    try {
      await enrol(options);
      failures = 0;
    } catch (thrown) {
      const isAway = thrown instanceof TrustKernError && thrown.code === "STEP_CA_UNREACHABLE";
      nextMs = now() + Math.min(PAUSE_MS[isAway ? "away" : "refused"] * 2 ** failures, MAX_PAUSE_MS);
      failures += 1;
      options.onFailure(thrown);
    } finally {
      running = false;
    }
  };
}

function hasCertificate({ gateway, identity, ca, now }: EnrolmentOptions): boolean {
  const [newest] = identity.credentials();
  return newest !== undefined && credentialProblem(newest, { gateway, ca: ca(), atMs: now() }) === null;
}

async function enrol(options: EnrolmentOptions): Promise<void> {
  const { gateway, target, file, ca, now, sign = signCsr } = options;
  const url = new URL(target.caUrl);
  const keyPem = readText(target.deviceKeyFile);
  const { csr: csrPem } = await deviceRequest(gateway, keyPem);
  const { servername } = target;
  const token = await x5cToken({
    provisioner: PROVISIONERS.makers,
    keyPem,
    chainPem: readText(target.deviceCertFile),
    servername,
    use: "sign",
    subject: gateway,
    csrPem,
    now: new Date(now()),
  });
  const endpoint = { host: url.hostname, port: Number(url.port || HTTPS_PORT), servername, rootPem: ca() };
  const cert = await sign(endpoint, { token, csrPem });
  const current = { cert, key: keyPem, token: null };
  const credential = parseCredential(current);
  const problem = credential ? credentialProblem(credential, { gateway, ca: ca(), atMs: now() }) : "key-mismatch";
  if (credential === null || problem !== null) {
    throw gatewayErrors.error("GATEWAY_RENEWAL_ANSWER", `what the authority issued is not used: ${problem}`, {
      path: problem ?? "",
    });
  }
  file.save({ pending: null, candidate: null, current, previous: null });
  options.onEnrolled(credential);
}
