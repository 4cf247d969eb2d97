import type { Layout } from "../layout.ts";
import { trustErrors } from "./errors.ts";
import { trustFiles } from "./place.ts";
import type { SigningKey } from "./signing-key.ts";

/** The key that signs status files: made for the first, on the site, whose fingerprint is given to whoever reads them in person. */
export function statusKey(layout: Pick<Layout, "dir">): SigningKey {
  const { statusKey: keyFile, statusSigner: pinFile } = trustFiles(layout);
  return {
    name: "status",
    option: "--status-key",
    keyFile,
    pinFile,
    differs: (message) => trustErrors.error("STATUS_SIGNER_DIFFERS", message, { path: pinFile }),
  };
}
