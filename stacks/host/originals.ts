import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../model/boundary.ts";
import { haveAuthorities } from "./authorities.ts";
import { hostErrors } from "./errors.ts";
import type { Layout } from "./layout.ts";
import type { StoreFiles } from "./store-files.ts";

/** What the authorities' keys in files are encrypted with; no component has it. */
export const AUTHORITIES_PASSPHRASE = "authorities/passphrase";

/** Secrets that are made once and stay, by `<component>/<name>`; a deployment has those that its components name, and its host. */
const ORIGINALS: Readonly<Record<string, () => string>> = {
  [AUTHORITIES_PASSPHRASE]: () => randomBytes(32).toString("base64url"),
  "custody/passphrase": () => randomBytes(32).toString("base64url"),
  "database/owner.password": () => randomBytes(24).toString("base64url"),
  "database/writer.password": () => randomBytes(24).toString("base64url"),
  "database/reader.password": () => randomBytes(24).toString("base64url"),
  "backend/signing.key": () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  "backend/network.key": () => randomBytes(16).toString("hex"),
  "grafana/admin.password": () => randomBytes(24).toString("base64url"),
  "grafana/encryption.key": () => randomBytes(24).toString("base64url"),
};

/** Secrets that nothing was made with: where one is missing, another one does. */
const REPLACEABLE: Readonly<Record<string, () => string>> = {
  "gateways-ca/intermediate.password": () => randomBytes(32).toString("base64url"),
  "operators-ca/intermediate.password": () => randomBytes(32).toString("base64url"),
};

/** What {@link makeOriginals} is for. */
export interface OriginalsRequest {
  readonly layout: Layout;
  readonly model: Model;
  readonly files: StoreFiles;
  /** Whether an earlier run finished: then a secret that is missing is a corrupt store and is never made anew. */
  readonly existing: boolean;
}

/**
 * Makes the secrets that others are made of, at the first run.
 * @throws STATE_CORRUPT when an earlier run's secret is gone
 */
export function makeOriginals({ layout, model, files, existing }: OriginalsRequest): void {
  const store = join.bind(undefined, layout.secretsDir);
  const named = [
    ...model.components.flatMap(({ name, secrets }) => secrets.map((secret) => `${name}/${secret.name}`)),
    AUTHORITIES_PASSPHRASE,
    // Others have copies of these, also where the database itself does not read them.
    "database/writer.password",
    "database/reader.password",
  ];
  const missingOf = (all: Readonly<Record<string, () => string>>): readonly string[] =>
    Object.keys(all).filter((name) => named.includes(name) && !existsSync(store(name)));
  const missing = missingOf(ORIGINALS);
  const noAuthorities = !haveAuthorities(layout.authoritiesDir);
  if (existing && (missing.length > 0 || noAuthorities)) {
    const names = [...missing, ...(noAuthorities ? ["authorities"] : [])];
    throw hostErrors.error("STATE_CORRUPT", `secrets of the deployment are missing: ${names.join(", ")}`, {
      path: layout.secretsDir,
    });
  }
  for (const name of missing) files.write(store(name), ORIGINALS[name]?.() ?? "");
  for (const name of missingOf(REPLACEABLE)) files.write(store(name), REPLACEABLE[name]?.() ?? "");
}
