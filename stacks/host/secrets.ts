import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../model/boundary.ts";
import { messageOf } from "../../shared/errors.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { type Authorities, haveAuthorities, makeAuthorities, readAuthorities } from "./authorities.ts";
import { hostErrors } from "./errors.ts";
import { holds, writePrivate } from "./files.ts";
import type { Layout } from "./layout.ts";
import { renewLeaves } from "./leaves.ts";
import { fillStepCaSecrets } from "./step-ca-authority.ts";

/** What the secret store is made for. */
export interface SecretsRequest {
  readonly layout: Layout;
  readonly model: Model;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
  readonly tenant: string;
  readonly clock: () => Date;
  /** Whether an earlier run finished: then a secret that is missing is a corrupt store and is never made anew. */
  readonly existing: boolean;
  /** Text of a vectors file for custody's `fixture.json`; dev only. */
  readonly fixture: string | undefined;
  readonly onEvent: (event: SecurityEvent) => void;
}

/** Work factor for our own passphrases of 256 random bits: stretching adds nothing to them. */
const MACHINE_MADE_WORK_FACTOR = 12;

/** Secrets that are made once and stay, by `<component>/<name>`; a deployment has those that its components name. */
const ORIGINALS: Readonly<Record<string, () => string>> = {
  "custody/passphrase": () => randomBytes(32).toString("base64url"),
  "database/owner.password": () => randomBytes(24).toString("base64url"),
  "database/writer.password": () => randomBytes(24).toString("base64url"),
  "database/reader.password": () => randomBytes(24).toString("base64url"),
  "backend/signing.key": () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  "backend/network.key": () => randomBytes(16).toString("hex"),
  "grafana/admin.password": () => randomBytes(24).toString("base64url"),
  "grafana/encryption.key": () => randomBytes(24).toString("base64url"),
  "step-ca/intermediate.password": () => randomBytes(32).toString("base64url"),
};

/**
 * Fills the deployment's secret store: makes what is missing at the first run, and renews what ends.
 * @throws STATE_CORRUPT when an earlier run's secret is gone or cannot be read
 */
export async function prepareSecrets(request: SecretsRequest): Promise<Authorities> {
  const { layout, model } = request;
  const store = join.bind(undefined, layout.secretsDir);
  const named = [
    ...model.components.flatMap(({ name, secrets }) => secrets.map((secret) => `${name}/${secret.name}`)),
    // Others have copies of these, also where the database itself does not read them.
    "database/writer.password",
    "database/reader.password",
  ];
  const missing = Object.keys(ORIGINALS).filter((name) => named.includes(name) && !existsSync(store(name)));
  if (request.existing && (missing.length > 0 || !haveAuthorities(layout.authoritiesDir))) {
    const names = [...missing, ...(haveAuthorities(layout.authoritiesDir) ? [] : ["authorities"])];
    throw hostErrors.error("STATE_CORRUPT", `secrets of the deployment are missing: ${names.join(", ")}`, {
      path: layout.secretsDir,
    });
  }
  for (const name of missing) writePrivate(store(name), ORIGINALS[name]?.() ?? "");
  const original = (name: string): string => readFileSync(store(name), "utf8");
  if (!haveAuthorities(layout.authoritiesDir)) {
    await makeAuthorities({
      dir: layout.authoritiesDir,
      tenant: request.tenant,
      clock: request.clock,
      passphrase: original("custody/passphrase"),
      scryptWorkFactor: MACHINE_MADE_WORK_FACTOR,
      onEvent: request.onEvent,
    });
  }
  const authorities = await readAuthorities(layout.authoritiesDir).catch((cause: unknown) => {
    throw hostErrors.error("STATE_CORRUPT", messageOf(cause), { path: layout.authoritiesDir, cause });
  });
  const backendKey = publicPoint(original("backend/signing.key"), store("backend/signing.key"));
  const derived: Readonly<Record<string, string | undefined>> = {
    "ca.crt": authorities.rootPem,
    "backend.pub": backendKey,
    "fixture.json": request.fixture,
    "collector/database.password": original("database/writer.password"),
    "grafana/database.password": original("database/reader.password"),
    "schema/owner.password": original("database/owner.password"),
    "schema/writer.password": original("database/writer.password"),
    "schema/reader.password": original("database/reader.password"),
  };
  for (const component of model.components) {
    for (const { name } of component.secrets) {
      const content = derived[`${component.name}/${name}`] ?? derived[name];
      const file = request.secretFile(component.name, name);
      if (content !== undefined && !holds(file, content)) writePrivate(file, content);
    }
  }
  const { secretFile, tenant, clock, onEvent } = request;
  const anchorPem = authorities.issuers.services.certPem;
  fillStepCaSecrets({ model, authoritiesDir: layout.authoritiesDir, anchorPem, secretFile });
  await renewLeaves({ model, secretFile, authorities, tenant, clock, onEvent });
  return authorities;
}

/** The uncompressed point (SEC 1, section 2.3.3) of a P-256 private key, in lower-case hex. */
function publicPoint(privateKeyPem: string, path: string): string {
  try {
    const { x = "", y = "" } = createPublicKey(createPrivateKey(privateKeyPem)).export({ format: "jwk" });
    return Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]).toString("hex");
  } catch {
    throw hostErrors.error("STATE_CORRUPT", "the backend's signing key is not a P-256 key in PKCS #8 PEM", {
      path,
    });
  }
}
