import type { Authority } from "../../certs/authority.ts";
import type { LeafClass } from "../../certs/names.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import type { KeyCeremony } from "./key-ceremony.ts";
import type { StoreFiles } from "./store-files.ts";

/** An authority was issued: what the ledger and the log are told. */
export type OnAuthority = (certPem: string, event: SecurityEvent) => Promise<void>;

/** What changes the authorities of a deployment. */
export interface AuthorityFilesRequest {
  readonly dir: string;
  readonly tenant: string;
  /** Namespace whose Services a new authority of services may name; undefined where no cluster runs the deployment. */
  readonly namespace: string | undefined;
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
   * Refuses a successor whose key could not be made where it belongs, before anything is begun.
   * @throws ROOT_KEY_ELSEWHERE, KEY_PLACE_TAKEN, ROOT_KEY_ONLINE, CEREMONY_NEEDED, and every SIGNER_ code
   */
  readonly assertStageable: (name: "root" | LeafClass, ceremony: KeyCeremony) => Promise<void>;
  /**
   * Makes `root.next`, unless it is there; its key goes where the one in force is, or where the ceremony says.
   * @throws ROOT_KEY_ELSEWHERE, and what {@link AuthorityFiles.assertStageable} throws
   */
  readonly stageRoot: (ceremony: KeyCeremony) => Promise<void>;
  /**
   * Puts the successor with this fingerprint in the root's place, and has it sign every issuing authority's own key and the
   * transcript.
   * @throws ROOT_KEY_ELSEWHERE, before anything is changed
   */
  readonly promoteRoot: (fingerprint: string, ceremony: KeyCeremony) => Promise<void>;
  /**
   * Makes `<class>.next`, unless it is there; its key goes where `pki.issuing` says.
   * @throws ROOT_KEY_ELSEWHERE, and what {@link AuthorityFiles.assertStageable} throws
   */
  readonly stageIntermediate: (leafClass: LeafClass, ceremony: KeyCeremony) => Promise<void>;
  /** Puts the successor with this fingerprint in the class's place. */
  readonly promoteIntermediate: (leafClass: LeafClass, fingerprint: string) => void;
  /**
   * Makes the authority of one more maker, unless it is there; its key goes where `pki.issuing` says.
   * @throws ROOT_KEY_ELSEWHERE, KEY_PLACE_TAKEN, CERT_NAME_INVALID, and every SIGNER_ code
   */
  readonly addMaker: (maker: string, ceremony: KeyCeremony) => Promise<void>;
  /** Forgets a successor that is in use nowhere; a key on a device or a medium stays there. */
  readonly dropNext: (name: "root" | LeafClass) => void;
  /** Where an authority's key is when it is not in a file of its folder, for people. */
  readonly keyPlace: (name: string) => string | undefined;
  /** Forgets the predecessor. */
  readonly dropOld: (name: string) => void;
  /** Has the root in force sign every issuing authority that it has not signed, key, name and namespace as they are. */
  readonly certifyAll: (mustSign?: (name: string, certPem: string) => boolean) => Promise<void>;
  /** @throws ROOT_KEY_ELSEWHERE */
  readonly openRoot: (name?: "root" | "root.next") => Promise<Authority>;
}
