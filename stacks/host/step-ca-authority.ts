import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OnlineClass } from "../../certs/names.ts";
import { stepCaKeyName } from "../../certs/signers/step-ca-kms.ts";
import { ONLINE_CLASSES, PROVISIONERS, stepCaComponent } from "../../certs/step-ca/names.ts";
import { publicJwk } from "../../certs/step-ca/tokens.ts";
import type { Model } from "../../model/boundary.ts";
import { withTrusted } from "../../modules/step-ca/ca-json.ts";
import { STEP_CA_SECRETS } from "../../modules/step-ca/component.ts";
import { isKeyElsewhere, readKeyPlace } from "./authority-key.ts";
import { hostErrors } from "./errors.ts";
import { holds, writePrivate } from "./files.ts";
import { type OperatorsKeyPlace, operatorsPublicKey } from "./operators-key.ts";
import { fillDeviceSecrets } from "./step-ca-device.ts";
import { hostFiles } from "./store-files.ts";

/** What filling the online authorities' part of the secret store needs. */
export interface StepCaSecretsRequest extends OperatorsKeyPlace {
  readonly model: Model;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
}

/**
 * Puts the certificate, the encrypted key and the whole configuration of each online authority in the secret store, where the
 * deployment has them. Done again, it changes what is not as the authorities' folder has it, and nothing else.
 * @throws STATE_CORRUPT when an authority is gone or cannot be read, and what `fillDeviceSecrets` throws
 */
export async function fillStepCaSecrets(request: StepCaSecretsRequest): Promise<void> {
  for (const leafClass of ONLINE_CLASSES) await fill(leafClass, request);
}

async function fill(leafClass: OnlineClass, request: StepCaSecretsRequest): Promise<void> {
  const name = stepCaComponent(leafClass);
  const component = request.model.components.find((each) => each.name === name);
  // What runs elsewhere has its own configuration.
  if (component === undefined || component.external !== undefined) return;
  const file = (what: keyof typeof STEP_CA_SECRETS): string => request.secretFile(name, STEP_CA_SECRETS[what]);
  const [config] = component.files;
  if (config === undefined) throw new TypeError(`${name} has no configuration`);
  const { certPem, keyPem } = readAuthority(request.authoritiesDir, leafClass);
  const content = withTrusted(config.content, {
    makersPem: makersPem(request.authoritiesDir),
    keys: {
      [PROVISIONERS.backend]: await publicJwk(createPublicKey(backendKey(request))),
      [PROVISIONERS.operators]: await publicJwk(createPublicKey(await operatorsPublicKey(request))),
    },
    key: keyName(request.authoritiesDir, leafClass),
  });
  const wanted = [
    [file("cert"), certPem],
    [file("config"), content],
  ] as const;
  for (const [path, text] of wanted) if (!holds(path, text)) writePrivate(path, text);
  fillDeviceSecrets({
    authoritiesDir: request.authoritiesDir,
    leafClass,
    secretFile: (secret) => request.secretFile(name, secret),
  });
  // A key on a device stays there, and the configuration names it: what is in a file is of a key before it.
  if (keyPem === undefined) return hostFiles.remove(file("key"));
  const passphrase = readFileSync(file("password"), "utf8");
  // Encrypted anew, the same key gives other bytes: only what does not open is written.
  if (opened(file("key"), passphrase) !== keyPem) writePrivate(file("key"), sealed(keyPem, passphrase));
}

/**
 * What names a key on its device. How the device is reached is the component's own affair, and with a TPM so is the file, which
 * it has a copy of.
 */
function keyName(dir: string, leafClass: OnlineClass): string | undefined {
  const place = isKeyElsewhere(dir, leafClass) ? readKeyPlace(dir, leafClass) : undefined;
  return place?.kind === "pkcs11" || place?.kind === "aws-kms" ? stepCaKeyName(place) : undefined;
}

function backendKey({ secretFile }: StepCaSecretsRequest) {
  const path = secretFile("backend", "signing.key");
  try {
    return createPrivateKey(readFileSync(path));
  } catch {
    throw hostErrors.error("STATE_CORRUPT", "the backend's signing key is missing or cannot be read", { path });
  }
}

function makersPem(authoritiesDir: string): string {
  const dir = join(authoritiesDir, "makers");
  const files = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(".crt")) : [];
  return files
    .sort()
    .map((name) => readFileSync(join(dir, name), "utf8"))
    .join("");
}

function readAuthority(dir: string, leafClass: OnlineClass): { certPem: string; keyPem: string | undefined } {
  try {
    const certPem = readFileSync(join(dir, `${leafClass}.crt`), "utf8");
    if (isKeyElsewhere(dir, leafClass)) return { certPem, keyPem: undefined };
    const keyPem = readFileSync(join(dir, `${leafClass}.key`), "utf8");
    return { certPem, keyPem: createPrivateKey(keyPem).export({ format: "pem", type: "pkcs8" }).toString() };
  } catch {
    throw hostErrors.error("STATE_CORRUPT", `the authority of ${leafClass} is missing or cannot be read`, {
      path: dir,
    });
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
