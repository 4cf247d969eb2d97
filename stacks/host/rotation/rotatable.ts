import type { CertsSite } from "../certs-site.ts";
import type { Rotatable } from "./target.ts";

/** What of a deployment can be rotated by name. */
export function rotatable({ model, pki }: Pick<CertsSite, "model" | "pki">): Rotatable {
  const names = model.components.map(({ name }) => name);
  return {
    components: names.filter((name) => pki.leafFiles(name).length > 0),
    gateways: model.components.flatMap(({ name, secrets }) =>
      secrets.some((secret) => secret.name === "token") ? [name] : [],
    ),
  };
}
