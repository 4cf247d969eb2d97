import { kemErrors } from "../../../custody/kem-errors.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { type CustodyManagement, MANAGE_MS } from "../custody-management.ts";

const BECAUSE: Readonly<Record<string, string>> = {
  started: "it has started, and nobody has unsealed it since",
  ordered: "somebody has sealed it",
  waiting: "it follows another custody, of which it has not heard since it was unsealed",
  alone: "it follows another custody, of which it has not heard for too long",
};

/** The same client, whose calls say why custody is sealed where it answers that it is. */
export function sayingWhySealed(management: CustodyManagement): CustodyManagement {
  const call: CustodyManagement["call"] = async (method, request, limitMs) => {
    try {
      return await management.call(method, request, limitMs);
    } catch (thrown) {
      if (!(thrown instanceof TrustKernError) || thrown.code !== "CUSTODY_SEALED") throw thrown;
      const { sealedBecause = "" } = await management.call("health", {}, MANAGE_MS);
      const message = `custody is sealed, and holds no key: ${BECAUSE[sealedBecause] ?? "it does not say why"}`;
      throw kemErrors.error("CUSTODY_SEALED", message, { cause: thrown });
    }
  };
  return { call, close: management.close };
}
