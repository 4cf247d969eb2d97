import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAuthority } from "../../certs/authority.ts";
import { issueStepCaAuthority } from "../../certs/classes/step-ca.ts";
import type { CertifiedKey } from "../../certs/issue.ts";
import type { Model } from "../../model/boundary.ts";
import { withAnchor } from "../../modules/step-ca/ca-json.ts";
import { STEP_CA, STEP_CA_SECRETS } from "../../modules/step-ca/component.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { hostErrors } from "./errors.ts";
import { holds, writePrivate } from "./files.ts";

/** What filling step-ca's part of the secret store needs. */
export interface StepCaSecretsRequest {
  readonly model: Model;
  readonly authoritiesDir: string;
  /** The services' authority, PEM: only who is under it may vouch. */
  readonly anchorPem: string;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
}

/** Makes step-ca's authority in `dir`, beside the others and while the root's key is in memory. */
export async function makeStepCaAuthority(dir: string, root: CertifiedKey, now: Date): Promise<SecurityEvent> {
  const { certPem, keyPem, event } = await issueStepCaAuthority(await loadAuthority(root, "root"), { now });
  writePrivate(join(dir, `${STEP_CA}.crt`), certPem);
  writePrivate(join(dir, `${STEP_CA}.key`), keyPem);
  return event;
}

/**
 * Puts step-ca's certificate, its encrypted key and its whole configuration in the secret store, where the deployment has it.
 * @throws STATE_CORRUPT when its authority is gone or cannot be read
 */
export function fillStepCaSecrets(request: StepCaSecretsRequest): void {
  const component = request.model.components.find(({ name }) => name === STEP_CA);
  if (component === undefined) return;
  const file = (what: keyof typeof STEP_CA_SECRETS): string => request.secretFile(STEP_CA, STEP_CA_SECRETS[what]);
  const { certPem, keyPem } = readAuthority(request.authoritiesDir);
  const [config] = component.files;
  if (config === undefined) throw new TypeError("step-ca has no configuration");
  const wanted = [
    [file("cert"), certPem],
    [file("config"), withAnchor(config.content, request.anchorPem)],
  ] as const;
  for (const [path, content] of wanted) if (!holds(path, content)) writePrivate(path, content);
  const passphrase = readFileSync(file("password"), "utf8");
  // Encrypted anew, the same key gives other bytes: only what does not open is written.
  if (opened(file("key"), passphrase) !== keyPem) writePrivate(file("key"), sealed(keyPem, passphrase));
}

function readAuthority(dir: string): CertifiedKey {
  try {
    const [certPem = "", keyPem = ""] = ["crt", "key"].map((kind) =>
      readFileSync(join(dir, `${STEP_CA}.${kind}`), "utf8"),
    );
    return { certPem, keyPem: createPrivateKey(keyPem).export({ format: "pem", type: "pkcs8" }).toString() };
  } catch {
    throw hostErrors.error("STATE_CORRUPT", "step-ca's authority is missing or cannot be read", { path: dir });
  }
}

function sealed(keyPem: string, passphrase: string): string {
  const options = { format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase } as const;
  return createPrivateKey(keyPem).export(options).toString();
}

function opened(path: string, passphrase: string): string | undefined {
  try {
    const key = createPrivateKey({ key: readFileSync(path), passphrase });
    return key.export({ format: "pem", type: "pkcs8" }).toString();
  } catch {
    return undefined;
  }
}
