import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assertKeys } from "../../certs/ceremony/assert-keys.ts";
import { ceremonyErrors } from "../../certs/ceremony/errors.ts";
import type { LeafClass } from "../../certs/names.ts";
import type { Curve, KeySigner } from "../../certs/signers/signer.ts";
import { authoritiesInUse, transcriptId } from "./authorities-in-use.ts";
import { isKeyElsewhere, keyPlaceFile } from "./authority-key.ts";
import type { KeyCeremony } from "./key-ceremony.ts";
import { newKey } from "./new-key.ts";
import { newIssuingPlace, newRootPlace } from "./new-key-place.ts";
import { attached, rootKeyFile, sealRootKey } from "./root-key.ts";
import type { StoreFiles } from "./store-files.ts";

/** What the keys of successors are kept with. */
export interface SuccessorKeysRequest {
  /** The authorities' folder. */
  readonly dir: string;
  readonly files: StoreFiles;
  /** Encrypts a root's key that stays in the folder. */
  readonly passphrase: () => string;
}

/** The keys of authorities that are to come, and how they take the place of those before. */
export interface SuccessorKeys {
  /** @throws ROOT_KEY_ELSEWHERE, KEY_PLACE_TAKEN, CEREMONY_CURVE, CEREMONY_KEY_REUSED, and every SIGNER_ code */
  readonly rootKey: (ceremony: KeyCeremony) => Promise<KeySigner>;
  /**
   * @param name a class of leaves, or `makers/<maker>`
   * @throws KEY_PLACE_TAKEN, CEREMONY_NEEDED, CEREMONY_CURVE, CEREMONY_KEY_REUSED, and every SIGNER_ code
   */
  readonly issuingKey: (name: string, ceremony: KeyCeremony) => Promise<KeySigner>;
  readonly moveRootKey: () => void;
  readonly moveKey: (leafClass: LeafClass) => void;
  /** Takes away what belongs to no successor any more, and the file of a key that has gone elsewhere. */
  readonly forget: (name: "root" | LeafClass) => void;
}

/** Keeps them in a folder: what is elsewhere is moved by moving the file that says where. */
export function successorKeys({ dir, files, passphrase }: SuccessorKeysRequest): SuccessorKeys {
  const at = (file: string): string => join(dir, file);
  const movePlace = (name: string): void =>
    void files.write(keyPlaceFile(dir, name), readFileSync(keyPlaceFile(dir, `${name}.next`), "utf8"));

  const checked = async (key: KeySigner, id: string, acceptP256Root: boolean): Promise<KeySigner> => {
    try {
      assertKeys([{ ...key, id }], acceptP256Root);
      assertNew(dir, key, id);
      return key;
    } catch (thrown) {
      await key.close();
      throw thrown;
    }
  };
  return {
    async rootKey(ceremony) {
      const { acceptP256Root = false, pki, rootFile } = ceremony;
      const request = {
        ...{ dir, files, name: "root.next", named: rootFile },
        curve: (acceptP256Root && pki.root.kind !== "age" ? "P-256" : "P-384") as Curve,
        place: () => newRootPlace(dir, ceremony),
        keepHere: (keyPem: string) => sealRootKey({ dir, passphrase: passphrase() }, "root.next", keyPem),
      };
      return checked(await attached(dir, "root.next", () => newKey(request)), "root", acceptP256Root);
    },
    async issuingKey(name, ceremony) {
      const file = name.startsWith("makers/") ? name : `${name}.next`;
      const key = await newKey({
        ...{ dir, files, name: file, curve: "P-256" },
        place: () => newIssuingPlace(dir, name, ceremony),
        keepHere: async (keyPem) => void files.write(at(`${file}.key`), keyPem),
      });
      return checked(key, transcriptId(name), true);
    },
    moveRootKey() {
      if (isKeyElsewhere(dir, "root.next")) movePlace("root");
      else files.copy(rootKeyFile(dir, "root.next"), rootKeyFile(dir, "root"));
    },
    moveKey(leafClass) {
      if (isKeyElsewhere(dir, `${leafClass}.next`)) movePlace(leafClass);
      else files.write(at(`${leafClass}.key`), readFileSync(at(`${leafClass}.next.key`), "utf8"));
    },
    forget(name) {
      files.remove(at(`${name}.next.crt`));
      files.remove(name === "root" ? rootKeyFile(dir, "root.next") : at(`${name}.next.key`));
      files.remove(keyPlaceFile(dir, `${name}.next`));
      if (isKeyElsewhere(dir, name)) files.remove(name === "root" ? rootKeyFile(dir, "root") : at(`${name}.key`));
    },
  };
}

function assertNew(dir: string, { publicKeySpki, where }: KeySigner, id: string): void {
  const spkiOf = (name: string): Buffer =>
    new X509Certificate(readFileSync(join(dir, `${name}.crt`))).publicKey.export({ format: "der", type: "spki" });
  const other = authoritiesInUse(dir).find(({ name }) => spkiOf(name).equals(publicKeySpki));
  if (other === undefined) return;
  throw ceremonyErrors.error("CEREMONY_KEY_REUSED", `${other.id} has the key that ${id} is to have (${where})`, {
    path: id,
  });
}
