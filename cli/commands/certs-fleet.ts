import { z } from "zod";
import { type FleetCertificate, planFleetInventory } from "../../certs/fleet-inventory.ts";
import type { InventoryRow } from "../../certs/inventory.ts";
import { LEAF_CLASSES } from "../../certs/names.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";

const time = z.iso.datetime().transform((text) => new Date(text));

/** A certificate as the backend lists it; members that a later backend adds are passed over. */
const listed = z.array(
  z
    .object({
      serial: z.string(),
      issuer: z.string(),
      class: z.enum(LEAF_CLASSES),
      name: z.string(),
      state: z.enum(["expected", "issued", "revoked"]),
      not_before: time,
      not_after: time,
    })
    .transform(
      ({ class: leafClass, not_before: notBefore, not_after: notAfter, ...rest }): FleetCertificate => ({
        ...rest,
        leafClass,
        notBefore,
        notAfter,
      }),
    ),
);

/** What the backend says of the fleet's certificates, or why it says nothing. */
export interface FleetAnswer {
  readonly rows: readonly InventoryRow[];
  /** Absent where it answered. */
  readonly missing?: { readonly code: string; readonly message: string };
}

/** Asks the backend for what was issued to gateways and operators. Never rejects: a list without the fleet is better than none. */
export async function fleetInventory(
  { operator, tenant }: Pick<CertsSite, "operator" | "tenant">,
  at: Date,
): Promise<FleetAnswer> {
  try {
    const ask = await operator();
    const certificates = listed.parse(await ask("GET", "/v1/certificates"));
    return { rows: planFleetInventory({ tenant, certificates, at }) };
  } catch (thrown) {
    const code = thrown instanceof TrustKernError ? thrown.code : "SERVICE_FAILED";
    return { rows: [], missing: { code, message: messageOf(thrown) } };
  }
}
