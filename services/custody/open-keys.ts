import { openAuditLog } from "../../custody/audit/log.ts";
import { type KeyStoreRef, openKeyStore } from "../../custody/backends/index.ts";
import { CUSTODY_CLASSES, type KeyStore } from "../../custody/backends/key-store.ts";
import { type Keyring, openKeyring } from "../../custody/keyring/keyring.ts";
import { follows as followsError, openFollower } from "../../custody/replicas/follower.ts";
import type { TwoClocks } from "../../custody/replicas/freshness.ts";
import { openWriter, transferOf } from "../../custody/replicas/writer.ts";
import type { Signer } from "../../protocol/signature.ts";
import { attestCompromise } from "./attest.ts";
import type { CustodyConfig } from "./config.ts";
import type { OpenKeys } from "./custodian.ts";
import { custodyServiceErrors } from "./errors.ts";
import { readFixtureKey } from "./fixture.ts";

/**
 * Opens store, log and keyring of a configuration. Whatever fails lets go of what was opened before it.
 * @param passphrase of a file store whose configuration names no file with one; empty for every other store
 * @param self host name of this custody: where there are several, it says who writes. @default the configuration's
 * @throws CUSTODY_PASSPHRASE_NEEDED, CUSTODY_PASSPHRASE_UNASKED, CUSTODY_CLASS_BELOW, CUSTODY_FIXTURE_INVALID, and what
 * store, log, keyring and follower throw
 */
export async function openKeys(
  config: CustodyConfig,
  clock: () => Date,
  passphrase: Uint8Array = new Uint8Array(),
  self: string = config.replicas?.self ?? "",
): Promise<OpenKeys> {
  const { keyStore, leastClass, auditFolder, stateFolder, tenant, fixtureFile, replicas } = config;
  const follows = replicas === undefined || self === replicas.writer ? null : replicas;
  // Closed in the opposite order: keyring, log, store.
  await using opened = new AsyncDisposableStack();
  const kept = <T extends { readonly close: () => Promise<void> }>(part: T): T =>
    opened.adopt(part, (each) => each.close());
  const store = kept(await openKeyStore(withPassphrase(keyStore, passphrase)));
  assertClass(store, leastClass);
  // Before anything is made in it.
  if (replicas !== undefined) transferOf(store);
  const audit = kept(await openAuditLog({ folder: auditFolder, signer: store.signer, clock }));
  const parted = { tenant, store, audit };
  if (follows !== null) {
    const follower = await openFollower({ ...parted, ...follows, folder: stateFolder, clocks: clocksOf(clock) });
    kept(follower.keyring);
    const parts = opened.move();
    const attest = async (): Promise<never> => {
      throw followsError(follows.writer);
    };
    const signerSpki = store.signer.publicKeySpki;
    return { keyring: follower.keyring, audit, signerSpki, attest, follower, close: () => parts.disposeAsync() };
  }
  const keyring = kept(await openKeyring({ ...parted, folder: stateFolder, clock }));
  const writing = replicas === undefined ? {} : { answerFollower: await openWriter({ ...parted, keyring }) };
  if (fixtureFile !== undefined) await importFixture(keyring, fixtureFile);
  const parts = opened.move();
  const attesting = { tenant, store: store.facts, generations: keyring.list, audit, sign: signerOf(store), clock };
  return {
    keyring,
    audit,
    signerSpki: store.signer.publicKeySpki,
    attest: (keyId, actor) => attestCompromise(attesting, keyId, actor),
    ...writing,
    close: () => parts.disposeAsync(),
  };
}

function clocksOf(clock: () => Date): TwoClocks {
  return { monotonicMs: () => performance.now(), wallMs: () => clock().getTime() };
}

function signerOf({ signer }: KeyStore): Signer {
  const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
  return async (data) =>
    new Uint8Array(await signer.crypto.subtle.sign(algorithm, signer.signingKey, Uint8Array.from(data)));
}

function withPassphrase(store: CustodyConfig["keyStore"], passphrase: Uint8Array): KeyStoreRef {
  const given = passphrase.length > 0;
  const waits = store.kind === "file" && !("identityFile" in store) && store.passphraseFile === undefined;
  if (waits !== given) throw waits ? neededPassphrase() : unaskedPassphrase(store.kind);
  if (store.kind !== "file" || "identityFile" in store) return store;
  const { passphraseFile, ...rest } = store;
  return passphraseFile === undefined ? { ...rest, passphrase } : { ...rest, passphraseFile };
}

function neededPassphrase(): Error {
  const message = "the decryption keys are in files that wait for a person's passphrase, and none was given";
  return custodyServiceErrors.error("CUSTODY_PASSPHRASE_NEEDED", message, { path: "passphrase" });
}

function unaskedPassphrase(kind: string): Error {
  const message = `a passphrase was given, and this store of kind "${kind}" opens without a person`;
  return custodyServiceErrors.error("CUSTODY_PASSPHRASE_UNASKED", message, { path: "passphrase" });
}

function assertClass({ facts }: KeyStore, least: CustodyConfig["leastClass"]): void {
  if (CUSTODY_CLASSES.indexOf(facts.custodyClass) <= CUSTODY_CLASSES.indexOf(least)) return;
  const message = `${facts.where} is of class "${facts.custodyClass}", and the deployment accepts "${least}" or better`;
  throw custodyServiceErrors.error("CUSTODY_CLASS_BELOW", message, { path: "custody.class" });
}

/** Retired: it opens what was encrypted to it, and no sensor is given it. */
async function importFixture(keyring: Keyring, file: string): Promise<void> {
  const privateKey = readFixtureKey(file);
  try {
    await keyring.importKey("fixture", privateKey, { state: "retired" });
  } finally {
    privateKey.fill(0);
  }
}
