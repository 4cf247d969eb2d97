import { z } from "zod";
import { REASON_CODES, type RevocationReason } from "../../certs/crl/reasons.ts";
import type { CertsSite } from "./certs-site.ts";
import { onlineClasses } from "./host-pki.ts";
import type { OperatorClient } from "./operator-client.ts";
import { tellBackend } from "./renew.ts";

const GATEWAYS = "TrustKern gateways";

const certificates = z.array(
  z.looseObject({ serial: z.string(), issuer: z.string(), state: z.string(), reason: z.string().nullish() }),
);

/**
 * Revokes on this host what the backend has revoked of the gateways' certificates that this host issued, and gives out the list
 * that names them: without an authority that runs, nobody else publishes one. Of services and operators the backend decides nothing here.
 * Done again, it comes to the same.
 * @returns serial numbers that were revoked just now
 */
export async function adoptRevocations(
  site: Pick<CertsSite, "pki" | "model" | "layout" | "handOver">,
  operator: OperatorClient,
): Promise<readonly string[]> {
  const { pki, model } = site;
  if (onlineClasses(model).includes("gateways")) return [];
  const { data: listed = [] } = certificates.safeParse(await operator("GET", "/v1/certificates"));
  await pki.ledger.reload();
  const due = listed.filter(
    ({ serial, issuer, state }) =>
      state === "revoked" && issuer === GATEWAYS && pki.ledger.find(serial).length > 0 && !pki.ledger.isRevoked(serial),
  );
  if (due.length === 0) return [];
  for (const { serial, reason } of due) await pki.revokeSerial(serial, reasonOf(reason));
  await pki.converge();
  await site.handOver();
  await tellBackend(site, operator);
  return due.map(({ serial }) => serial);
}

function reasonOf(reason: string | null | undefined): RevocationReason {
  return (Object.keys(REASON_CODES) as RevocationReason[]).find((each) => each === reason) ?? "unspecified";
}
