import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CustodyBackend } from "../../custody/backends/backend.ts";
import { openFileBackend } from "../../custody/backends/old-file.ts";
import { chooseWorkFactor, readPassphrase } from "../../custody/passphrase.ts";
import type { CustodyConfig } from "./config.ts";
import { custodyServiceErrors } from "./errors.ts";
import { readFixtureKey } from "./fixture.ts";

/** The back end of the service, which an operator may seal and unseal. */
export interface Keyring {
  /** null while sealed. */
  readonly backend: () => CustodyBackend | null;
  /** @throws CUSTODY_SEALED */
  readonly unsealed: () => CustodyBackend;
  /** Forgets every private key until {@link unseal}, or until the service starts again. */
  readonly seal: () => void;
  /** Reads passphrase and keys again; makes the first generation, `active`, where there is none. */
  readonly unseal: () => Promise<void>;
}

/** A sealed keyring over the file back end of a configuration. */
export function createKeyring(config: CustodyConfig, now: () => number): Keyring {
  let backend: CustodyBackend | null = null;
  return {
    backend: () => backend,
    unsealed: () => {
      if (backend) return backend;
      throw custodyServiceErrors.error("CUSTODY_SEALED", "custody is sealed");
    },
    seal: () => {
      backend?.close();
      backend = null;
    },
    unseal: async () => {
      backend ??= await openKeys(config, new Date(now()).toISOString());
    },
  };
}

async function openKeys(config: CustodyConfig, time: string): Promise<CustodyBackend> {
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const passphrase = readPassphrase(config.passphraseFile);
  const backend = await openFileBackend({
    path: join(config.stateDir, "generations.age"),
    passphrase,
    workFactor: chooseWorkFactor(passphrase, config.scryptWorkFactor),
  });
  const dates = { createdAt: time, notBefore: time };
  if (!backend.list().some(({ state }) => state === "active")) await backend.generate({ state: "active", ...dates });
  // Retired: it opens what was encrypted to it, and no sensor is given it.
  if (config.fixtureFile) await backend.importKey(readFixtureKey(config.fixtureFile), { state: "retired", ...dates });
  return backend;
}
