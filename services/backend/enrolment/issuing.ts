import { fetchCrl, revokeCertificate, signCsr } from "../../../certs/step-ca/client.ts";
import type { OnlineClass } from "../../../certs/step-ca/names.ts";
import { PROVISIONERS } from "../../../certs/step-ca/names.ts";
import { jwkToken } from "../../../certs/step-ca/tokens.ts";
import { messageOf } from "../../../shared/errors.ts";
import { fleetErrors } from "../fleet/errors.ts";
import type { RevocationReason } from "../revocation/reasons.ts";
import type { SigningKey } from "../trust/keys.ts";

/** An issuer that runs: it holds the key of one class. */
export interface IssuingCa {
  /** The leaf and its issuer, PEM. @throws ISSUING_FAILED */
  readonly sign: (csrPem: string, name: string) => Promise<string>;
  /** Again changes nothing. @throws ISSUING_FAILED */
  readonly revoke: (serial: string, reason: RevocationReason) => Promise<void>;
  /** Its newest revocation list, PEM, not verified. @throws ISSUING_FAILED */
  readonly crl: () => Promise<string>;
}

/** The issuers of a deployment; none where the operator's machine issues everything. */
export type Issuers = Readonly<Partial<Record<OnlineClass, IssuingCa>>>;

/** What {@link stepCaIssuer} works with. */
export interface StepCaIssuerOptions {
  readonly endpoint: { readonly host: string; readonly port: number; readonly servername: string };
  /** Trust anchors, PEM, as they are in force. */
  readonly anchorsPem: () => string;
  readonly key: Pick<SigningKey, "pem">;
  readonly now: () => number;
}

/** step-ca as issuer: the backend vouches with its signing key, for one request or one serial number at a time. */
export function stepCaIssuer({ endpoint, anchorsPem, key, now }: StepCaIssuerOptions): IssuingCa {
  const ca = () => ({ ...endpoint, rootPem: anchorsPem() });
  const token = (use: "sign" | "revoke", subject: string, csrPem?: string): Promise<string> =>
    jwkToken({
      provisioner: PROVISIONERS.backend,
      keyPem: key.pem(),
      servername: endpoint.servername,
      use,
      subject,
      csrPem,
      now: new Date(now()),
    });
  const asking = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (cause) {
      throw fleetErrors.error("ISSUING_FAILED", `${endpoint.servername} did not ${what}: ${messageOf(cause)}`, {
        cause,
      });
    }
  };
  return {
    sign: (csrPem, name) =>
      asking("sign", async () => signCsr(ca(), { csrPem, token: await token("sign", name, csrPem) })),
    revoke: (serial, reason) =>
      asking("revoke", async () =>
        revokeCertificate(ca(), { serial, reason, token: await token("revoke", BigInt(`0x${serial}`).toString()) }),
      ),
    crl: () => asking("give its revocation list", () => fetchCrl(ca())),
  };
}
