import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Deployment } from "../../../model/deployment.ts";
import { makeByCeremony } from "../ceremony.ts";
import type { KeyCeremony, RootFile } from "../key-ceremony.ts";
import { layoutOf } from "../layout.ts";

/** A medium of a model fleet: a folder that is no part of its state directory. */
export function makeMedium(): RootFile {
  const folder = mkdtempSync(join(tmpdir(), "tk-medium-"));
  const medium = { file: join(folder, "root.age"), passphraseFile: join(folder, "words") };
  writeFileSync(medium.passphraseFile, randomBytes(32).toString("hex"));
  return medium;
}

/** A ceremony in which one person does everything. */
export function modelCeremony(pki: Deployment["pki"], rootFile: RootFile | undefined): KeyCeremony {
  return { pki, rootFile, conductor: "Ada", witnesses: ["Grace"], versions: {} };
}

/** Makes the authorities of a model fleet where `pki` says, the root's key on the medium where it says `age`. */
export async function holdModelCeremony(
  dir: string,
  pki: Deployment["pki"],
  { medium, now }: { readonly medium: RootFile; readonly now: Date },
): Promise<void> {
  await makeByCeremony({
    ...modelCeremony(pki, undefined),
    layout: layoutOf(dir, tmpdir()),
    deployment: { tenant: "acme", pki },
    namespace: undefined,
    clock: () => now,
    rootFile: pki.root.kind === "age" ? medium : undefined,
    makers: ["acme-instruments"],
    acceptP256Root: false,
    onEvent: () => undefined,
  });
}
