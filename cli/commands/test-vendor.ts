import type { KeySigner } from "../../certs/signers/signer.ts";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { removeFolders, writtenBundle } from "../../operations/bundle/format/test-bundle.ts";
import { type BundleContents, replaceSlot } from "../../operations/bundle/format/write.ts";
import type { SignedRoot } from "../../operations/bundle/trust/root.ts";
import { type SignedBundle, type SigningJob, signBundle } from "../../operations/bundle/trust/sign-bundle.ts";
import { MADE_AT, people, rootFacts, scratch, signedRoot } from "../../operations/bundle/trust/test-trust.ts";
import { bundleFolder, rootFile, writeRootFile } from "../../operations/bundle/trust/vendor-roots.ts";
import { runCli } from "../test-io.ts";

/** For tests of commands: whoever signs bundles of tenant `demo`. */
export interface TestVendor {
  /** Where commands run; the vendor's state directory is `vendor` in it. */
  readonly folder: string;
  readonly in: (name: string) => string;
  readonly root: SignedRoot;
  /** Options of commands that name the root. */
  readonly named: readonly string[];
  /** Signs as the vendor. */
  readonly sign: (head: Pick<SigningJob, "manifest" | "manifestBytes" | "sums">) => Promise<SignedBundle>;
  /** Writes a bundle, signed, and gives its path. */
  readonly bundle: (contents?: BundleContents, splitBytes?: number) => Promise<string>;
  /** Runs a command with `--json`: its document, with what is in the error, and the exit code. */
  readonly json: (...argv: readonly string[]) => Promise<{ readonly exit: number } & Readonly<Record<string, unknown>>>;
  /** Removes everything; call it after all. */
  readonly remove: () => void;
}

/** Who signs beside Anna, and how many it takes. */
interface VendorOptions {
  /** @default 1: Anna alone is enough */
  readonly threshold?: number;
  readonly more?: (place: Pick<TestVendor, "json" | "in">) => Promise<Readonly<Record<string, PublicKey>>>;
}

type PublicKey = Pick<KeySigner, "publicKeySpki">;

/** For tests of commands: a vendor in a folder of its own; others may sign as well, whose keys are made there. */
export async function testVendor({ threshold = 1, more = async () => ({}) }: VendorOptions = {}): Promise<TestVendor> {
  const place = scratch();
  const json: TestVendor["json"] = async (...argv) => {
    const { exit, stdout } = await runCli([...argv, "--json"], { cwd: place.folder, now: () => MADE_AT });
    const said = JSON.parse(stdout);
    return { exit, ...said, ...said.error };
  };
  const keys = await people("anna", "root");
  const signers = { anna: keys.anna, ...(await more({ json, in: place.in })) };
  const root = await signedRoot(rootFacts(signers, { root: keys.root }, { tenant: "demo", threshold }), keys.root);
  const folder = bundleFolder(place.in("vendor"));
  const rootJson = rootFile(folder, 1);
  writeRootFile(rootJson, root);
  const sign: TestVendor["sign"] = (head) => signBundle({ ...head, roots: [root], folder, now: MADE_AT }, [keys.anna]);
  return {
    ...{ folder: place.folder, in: place.in, root, sign, json },
    named: ["--root", rootJson, "--fingerprint", root.fingerprint],
    bundle: async (contents, splitBytes) => {
      const files = await writtenBundle(contents, splitBytes);
      const bundle = await openBundle(files[0] ?? "");
      const { slot } = await sign(bundle);
      await bundle.close();
      await replaceSlot(files, slot);
      return files[0] ?? "";
    },
    remove: () => {
      place[Symbol.dispose]();
      removeFolders();
    },
  };
}
