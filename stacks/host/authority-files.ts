import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Authority } from "../../certs/authority.ts";
import { certifyIntermediate, type IntermediateRequest, issueIntermediate } from "../../certs/classes/intermediate.ts";
import { issueRoot } from "../../certs/classes/root.ts";
import { LEAF_CLASSES, type LeafClass } from "../../certs/names.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { assertKeyHere, authorityKey } from "./authority-key.ts";
import { fingerprintOf } from "./pem.ts";
import { openRootKey, rootKeyFile, sealRootKey } from "./root-key.ts";
import type { StoreFiles } from "./store-files.ts";

/** An authority was issued: what the ledger and the log are told. */
export type OnAuthority = (certPem: string, event: SecurityEvent) => Promise<void>;

/** What changes the authorities of a deployment. */
export interface AuthorityFilesRequest {
  readonly dir: string;
  readonly tenant: string;
  readonly clock: () => Date;
  /** Opens `root.key.age`. */
  readonly passphrase: () => string;
  readonly files: StoreFiles;
  readonly onAuthority: OnAuthority;
}

/**
 * The authorities of a deployment by name, each as `<name>.crt` and its key: `root`, the classes, `makers/<maker>`. While one
 * is rotated, its successor is beside it as `<name>.next`, and then its predecessor as `<name>.old`. Every change is one file at
 * a time and may be done again after a death.
 */
export interface AuthorityFiles {
  /** Certificate, PEM. */
  readonly read: (name: string) => string | undefined;
  /** SHA-256 of the certificate in lower-case hex, or empty where there is none. */
  readonly fingerprint: (name: string) => string;
  /** {@link fingerprint} of the successor, or of the authority itself where that has taken its place. */
  readonly newest: (name: string) => string;
  /** Every root that is to be accepted, PEM, the one in force first. */
  readonly anchors: () => readonly string[];
  /** Every issuing authority, PEM, those of predecessors and successors included. */
  readonly issuers: () => readonly string[];
  /**
   * Makes `root.next`, unless it is there.
   * @throws CEREMONY_NEEDED when the root's key is not of this host
   */
  readonly stageRoot: () => Promise<void>;
  /** Puts the successor with this fingerprint in the root's place, and has it sign every issuing authority's own key. */
  readonly promoteRoot: (fingerprint: string) => Promise<void>;
  /**
   * Makes `<class>.next`, unless it is there.
   * @throws CEREMONY_NEEDED when the class's key is on a device
   */
  readonly stageIntermediate: (leafClass: LeafClass) => Promise<void>;
  /** Puts the successor with this fingerprint in the class's place. */
  readonly promoteIntermediate: (leafClass: LeafClass, fingerprint: string) => void;
  /** Forgets the predecessor. */
  readonly dropOld: (name: string) => void;
  /** Has the root in force sign every issuing authority that it has not signed, key and name as they are. */
  readonly certifyAll: (mustSign?: (name: string, certPem: string) => boolean) => Promise<void>;
  /** @throws ROOT_KEY_ELSEWHERE */
  readonly openRoot: (name?: "root" | "root.next") => Promise<Authority>;
}

/** The authorities in a folder. */
export function authorityFiles(request: AuthorityFilesRequest): AuthorityFiles {
  const { dir, files, tenant, clock, onAuthority } = request;
  const at = (file: string): string => join(dir, file);
  const read = (name: string): string | undefined => {
    const file = at(`${name}.crt`);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  };
  const fingerprint = (name: string): string => {
    const pem = read(name);
    return pem === undefined ? "" : fingerprintOf(pem);
  };
  const place = () => ({ dir, passphrase: request.passphrase() });
  const openRoot: AuthorityFiles["openRoot"] = (name = "root") => openRootKey(place(), name);
  const intermediates = (): readonly string[] => [...LEAF_CLASSES, ...makersIn(dir).map((maker) => `makers/${maker}`)];

  const certifyAll: AuthorityFiles["certifyAll"] = async (mustSign) => {
    const rootKey = new X509Certificate(read("root") ?? "").publicKey;
    const stale = intermediates().filter((name) => {
      const pem = read(name);
      if (pem === undefined) return false;
      return mustSign?.(name, pem) === true || !new X509Certificate(pem).verify(rootKey);
    });
    if (stale.length === 0) return;
    const root = await openRoot();
    for (const name of stale) {
      const key = await authorityKey(dir, name);
      const { authority, event } = await certifyIntermediate(root, key, requestOf(name, clock()));
      files.write(at(`${name}.crt`), authority.certPem);
      await onAuthority(authority.certPem, event);
    }
  };

  return {
    read,
    fingerprint,
    newest: (name) => fingerprint(`${name}.next`) || fingerprint(name),
    anchors: () => [...new Set(["root", "root.next", "root.old"].flatMap((name) => read(name) ?? []))],
    issuers: () =>
      intermediates().flatMap((name) => [name, `${name}.next`, `${name}.old`].flatMap((each) => read(each) ?? [])),
    async stageRoot() {
      if (read("root.next") !== undefined) return;
      assertKeyHere(dir, "root");
      const { authority, event } = await issueRoot({ tenant, now: clock() });
      await sealRootKey(place(), "root.next", authority.keyPem);
      files.write(at("root.next.crt"), authority.certPem);
      await onAuthority(authority.certPem, event);
    },
    async promoteRoot(wanted) {
      if (fingerprint("root") !== wanted) {
        files.write(at("root.old.crt"), read("root") ?? "");
        files.copy(rootKeyFile(dir, "root.next"), rootKeyFile(dir, "root"));
        files.write(at("root.crt"), read("root.next") ?? "");
      }
      await certifyAll();
      files.remove(at("root.next.crt"));
      files.remove(rootKeyFile(dir, "root.next"));
    },
    async stageIntermediate(leafClass) {
      if (read(`${leafClass}.next`) !== undefined) return;
      assertKeyHere(dir, leafClass);
      const { authority, event } = await issueIntermediate(await openRoot(), { leafClass, now: clock() });
      files.write(at(`${leafClass}.next.key`), authority.keyPem);
      files.write(at(`${leafClass}.next.crt`), authority.certPem);
      await onAuthority(authority.certPem, event);
    },
    promoteIntermediate(leafClass, wanted) {
      if (fingerprint(leafClass) !== wanted) {
        files.write(at(`${leafClass}.old.crt`), read(leafClass) ?? "");
        files.write(at(`${leafClass}.key`), readFileSync(at(`${leafClass}.next.key`), "utf8"));
        files.write(at(`${leafClass}.crt`), read(`${leafClass}.next`) ?? "");
      }
      files.remove(at(`${leafClass}.next.crt`));
      files.remove(at(`${leafClass}.next.key`));
    },
    dropOld: (name) => files.remove(at(`${name}.old.crt`)),
    certifyAll,
    openRoot,
  };
}

/** Makers that the deployment has an authority for. */
export function makersIn(dir: string): readonly string[] {
  const folder = join(dir, "makers");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) => (file.endsWith(".crt") ? [file.slice(0, -".crt".length)] : []));
}

function requestOf(name: string, now: Date): IntermediateRequest {
  const leafClass = LEAF_CLASSES.find((each) => each === name);
  return leafClass === undefined ? { maker: name.slice("makers/".length), now } : { leafClass, now };
}
