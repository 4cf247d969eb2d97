import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { normalSerial } from "../../certs/serial.ts";
import { adoptRevocations } from "./adopt-revocations.ts";
import type { CertsSite } from "./certs-site.ts";
import type { OperatorClient } from "./operator-client.ts";
import { fingerprintOf } from "./pem.ts";
import { tellBackend } from "./renew.ts";
import { learnRevoked } from "./revoked-gateways.ts";
import { hostFiles } from "./store-files.ts";

const DAY_MS = 86_400_000;

/** What of a deployment the backend is told of. */
export type Introduced = Pick<CertsSite, "layout" | "clock" | "pki" | "model" | "secretFile" | "handOver">;

/** A line of the backend's list of a gateway's tokens. */
interface ListedToken {
  readonly certificate_sha256: string;
  readonly expires_at: string;
  readonly revoked_at: string | null;
}

/**
 * Makes the backend know what this host has issued: anchors, pins, revocation lists and leaves; and gives every gateway of the
 * deployment a token for the certificate that it has. Done again, it comes to the same.
 * @returns gateways of the deployment that are revoked: they are left out
 */
export async function introduce(site: Introduced, operator: OperatorClient): Promise<readonly string[]> {
  const { pki, model } = site;
  await tellBackend(site, operator);
  const revoked = await learnRevoked(site, operator);
  await adoptRevocations(site, operator);
  const components = model.components.filter(({ name }) => !revoked.includes(name));
  for (const { name } of components) {
    for (const file of pki.leafFiles(name)) {
      await operator("POST", "/v1/certificates", { chain_pem: readFileSync(file, "utf8") });
    }
  }
  for (const { name, secrets } of components) {
    if (secrets.some((secret) => secret.name === "token")) await provideToken(site, operator, name);
  }
  await site.handOver();
  return revoked;
}

/** A token is bound to one certificate: with another certificate, another token. */
async function provideToken(
  { layout, secretFile, clock }: Introduced,
  operator: OperatorClient,
  name: string,
): Promise<void> {
  const certificate = new X509Certificate(readFileSync(secretFile(name, "tls.crt"), "utf8"));
  const leaf = fingerprintOf(certificate.toString());
  const file = secretFile(name, "token");
  // Written after the token, so that a death in between asks for another one.
  const note = join(layout.authoritiesDir, "tokens", name);
  if (existsSync(file) && existsSync(note) && readFileSync(note, "utf8") === leaf) {
    const tokens = (await operator("GET", `/v1/gateways/${name}/tokens`)) as readonly ListedToken[];
    const good = tokens.some(
      (each) => each.certificate_sha256 === leaf && each.revoked_at === null && !isOld(each, clock()),
    );
    if (good) return;
  }
  const { token } = (await operator("POST", `/v1/gateways/${name}/tokens`, {
    certificate_serial: normalSerial(certificate.serialNumber),
  })) as { readonly token: string };
  hostFiles.write(file, `${token}\n`);
  hostFiles.write(note, leaf);
}

/** In its last day a token is replaced: the one that is there stays good meanwhile. */
function isOld({ expires_at }: ListedToken, now: Date): boolean {
  return Date.parse(expires_at) - now.getTime() < DAY_MS;
}
