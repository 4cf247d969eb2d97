import { existsSync, readFileSync } from "node:fs";
import type { CertsSite } from "./certs-site.ts";
import type { OperatorClient } from "./operator-client.ts";
import { tellBackend } from "./renew.ts";
import { hostFiles } from "./store-files.ts";

/** What of a deployment the backend is told of. */
export type Introduced = Pick<CertsSite, "pki" | "model" | "secretFile" | "handOver">;

/**
 * Makes the backend know what this host has issued: anchors, pins, revocation lists and leaves; and gives every gateway of the
 * deployment that has none its first token.
 */
export async function introduce(site: Introduced, operator: OperatorClient): Promise<void> {
  const { pki, model, secretFile } = site;
  await tellBackend(site, operator);
  for (const { name } of model.components) {
    for (const file of pki.leafFiles(name)) {
      await operator("POST", "/v1/certificates", { chain_pem: readFileSync(file, "utf8") });
    }
  }
  for (const { name, secrets } of model.components) {
    const file = secretFile(name, "token");
    if (existsSync(file) || !secrets.some((secret) => secret.name === "token")) continue;
    const { token } = (await operator("POST", `/v1/gateways/${name}/tokens`, {})) as { readonly token: string };
    hostFiles.write(file, `${token}\n`);
  }
  site.handOver();
}
