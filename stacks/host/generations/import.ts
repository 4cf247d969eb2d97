import { custodyErrors } from "../../../custody/errors.ts";
import type { readPackage } from "../../../custody/package.ts";
import { MANAGE_MS } from "../custody-management.ts";
import { findListed } from "./place.ts";
import type { OpenGenerations } from "./site.ts";

/**
 * The state that a package's generation has after an import, by what the package says of itself. It changes nothing; whether its
 * private key is in it, custody finds out when it opens it.
 * @throws CUSTODY_PACKAGE_FOREIGN, CUSTODY_GENERATION_STATE, CUSTODY_SEALED, GRPC_UNREACHABLE
 */
export async function planImport(
  { place, management }: Pick<OpenGenerations, "place" | "management">,
  tenant: string,
  packaged: Pick<ReturnType<typeof readPackage>, "keyId" | "tenant" | "importKeyId">,
): Promise<string> {
  const { keyId } = packaged;
  const importKey = await management.call("importKey", {}, MANAGE_MS);
  if (packaged.tenant !== tenant) throw foreign(`it is for tenant "${packaged.tenant}", and this is "${tenant}"`);
  if (packaged.importKeyId !== importKey.keyId)
    throw foreign(`it is sealed to import key "${packaged.importKeyId}", and custody has "${importKey.keyId}"`);
  const state = findListed(await place.custody.list(), keyId)?.state;
  if (state !== "destroyed") return state ?? "next";
  throw custodyErrors.error("CUSTODY_GENERATION_STATE", `generation "${keyId}" was destroyed and cannot come back`, {
    path: keyId,
    fix: "hold `trustkern keys ceremony` for another generation; a custody of its own, from a backup of before, is the only one that takes this package",
  });
}

function foreign(reason: string): Error {
  return custodyErrors.error("CUSTODY_PACKAGE_FOREIGN", `the package is not for this custody: ${reason}`);
}
