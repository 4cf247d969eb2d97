import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { certifyIntermediate, type IntermediateRequest } from "../../certs/classes/intermediate.ts";
import { certifyRoot } from "../../certs/classes/root.ts";
import { assertMaker, LEAF_CLASSES } from "../../certs/names.ts";
import { makersIn, transcriptId } from "./authorities-in-use.ts";
import { authorityKey, describeKeyPlace, isKeyElsewhere, readKeyPlace } from "./authority-key.ts";
import type { AuthorityFiles, AuthorityFilesRequest } from "./authority-store.ts";
import type { KeyCeremony } from "./key-ceremony.ts";
import { newIssuingPlace, newRootPlace } from "./new-key-place.ts";
import { fingerprintOf } from "./pem.ts";
import { openRootKey } from "./root-key.ts";
import { namespaceMadeFor } from "./services-namespace.ts";
import { successorKeys } from "./successor-keys.ts";
import { transcriptsIn } from "./transcripts.ts";

/** The authorities in a folder. */
export function authorityFiles(request: AuthorityFilesRequest): AuthorityFiles {
  const { dir, files, tenant, namespace, clock, onAuthority } = request;
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
  const successors = successorKeys({ dir, files, passphrase: request.passphrase });
  const transcripts = transcriptsIn({ dir, tenant, clock, files });
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
      const as = requestOf(name, clock(), namespaceMadeFor(read(name) ?? "", at(`${name}.crt`)));
      const { authority, event } = await certifyIntermediate(root, key, as);
      files.write(at(`${name}.crt`), authority.certPem);
      await onAuthority(authority.certPem, event);
    }
  };

  /** The root signs an authority with a key of its own: the successor of a class, or a maker's. */
  const stage = async (name: string, ceremony: KeyCeremony): Promise<void> => {
    const root = await openRoot();
    const key = await successors.issuingKey(name, ceremony);
    try {
      const { authority, event } = await certifyIntermediate(root, key, requestOf(name, clock(), namespace));
      const { certPem } = authority;
      const isMaker = name.startsWith("makers/");
      // The certificate comes last: with it, the authority is there.
      if (isMaker) await transcripts.settle([transcriptId(name)], ceremony, { name, certPem });
      else await transcripts.prepare(name, certPem, ceremony);
      files.write(at(isMaker ? `${name}.crt` : `${name}.next.crt`), certPem);
      await onAuthority(certPem, event);
    } finally {
      await key.close();
    }
  };

  return {
    read,
    fingerprint,
    newest: (name) => fingerprint(`${name}.next`) || fingerprint(name),
    anchors: () => [...new Set(["root", "root.next", "root.old"].flatMap((name) => read(name) ?? []))],
    issuers: () =>
      intermediates().flatMap((name) => [name, `${name}.next`, `${name}.old`].flatMap((each) => read(each) ?? [])),
    assertStageable: async (name, ceremony) => {
      await (name === "root" ? newRootPlace(dir, ceremony) : newIssuingPlace(dir, name, ceremony));
    },
    async stageRoot(ceremony) {
      if (read("root.next") !== undefined) return;
      const key = await successors.rootKey(ceremony);
      try {
        const { authority, event } = await certifyRoot(key, { tenant, now: clock() });
        files.write(at("root.next.crt"), authority.certPem);
        await onAuthority(authority.certPem, event);
      } finally {
        await key.close();
      }
    },
    async promoteRoot(wanted, ceremony) {
      // What is away is missed before anything is changed.
      await openRoot(fingerprint("root") === wanted ? "root" : "root.next");
      if (fingerprint("root") !== wanted) {
        files.write(at("root.old.crt"), read("root") ?? "");
        successors.moveRootKey();
        files.write(at("root.crt"), read("root.next") ?? "");
      }
      await certifyAll();
      await transcripts.settle(["root"], ceremony);
      successors.forget("root");
    },
    async stageIntermediate(leafClass, ceremony) {
      if (read(`${leafClass}.next`) !== undefined) return;
      await stage(leafClass, ceremony);
    },
    promoteIntermediate(leafClass, wanted) {
      if (fingerprint(leafClass) !== wanted) {
        files.write(at(`${leafClass}.old.crt`), read(leafClass) ?? "");
        successors.moveKey(leafClass);
        files.write(at(`${leafClass}.crt`), read(`${leafClass}.next`) ?? "");
      }
      transcripts.promote();
      successors.forget(leafClass);
    },
    async addMaker(maker, ceremony) {
      assertMaker(maker);
      if (read(`makers/${maker}`) === undefined) await stage(`makers/${maker}`, ceremony);
    },
    dropNext(name) {
      files.remove(at(`${name}.next.crt`));
      transcripts.drop();
      successors.forget(name);
    },
    keyPlace: (name) => (isKeyElsewhere(dir, name) ? describeKeyPlace(readKeyPlace(dir, name)) : undefined),
    dropOld: (name) => files.remove(at(`${name}.old.crt`)),
    certifyAll,
    openRoot,
  };
}

function requestOf(name: string, now: Date, namespace: string | undefined): IntermediateRequest {
  const leafClass = LEAF_CLASSES.find((each) => each === name);
  return leafClass === undefined ? { maker: name.slice("makers/".length), now } : { leafClass, now, namespace };
}
