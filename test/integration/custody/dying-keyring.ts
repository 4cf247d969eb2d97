import { generateKeyPairSync } from "node:crypto";
import { writeSync } from "node:fs";
import { type Keyring, openKeyring } from "../../../custody/keyring/keyring.ts";
import { mortal } from "../../../custody/keyring/test-memory.ts";
import { activeOf, retiredOf } from "../../../custody/keyring/test-support.ts";
import { sealGenerationPackage } from "../../../custody/package.ts";
import { openParts } from "./keyring-parts.ts";

/** What this process is asked to do, as JSON in its one argument. */
export interface Dying {
  readonly folder: string;
  /** Made one after the other. @default all of them, again and again */
  readonly changes?: readonly ChangeName[];
  /** At which call of store or log it dies. @default none */
  readonly death?: { readonly step: number; readonly when: "before" | "after" };
}

const newPrivate = () => generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" });
const packageFor = ({ packageKey }: Keyring) => {
  const metadata = { tenant: "acme", createdAt: "2026-01-01T00:00:00.000Z" };
  return Buffer.from(sealGenerationPackage({ importKey: packageKey.publicKey, privateKey: newPrivate(), metadata }));
};
const lastNext = (keyring: Keyring) => keyring.list().findLast(({ state }) => state === "next")?.keyId ?? "";

const CHANGES = {
  "generate next": (keyring: Keyring) => keyring.generate("op", { state: "next" }),
  activate: (keyring: Keyring) => keyring.activate("op", lastNext(keyring)),
  destroy: (keyring: Keyring) => keyring.destroy("op", retiredOf(keyring).keyId),
  "generate active": (keyring: Keyring) => keyring.generate("op", { state: "active" }),
  compromise: (keyring: Keyring) =>
    keyring.compromise("op", activeOf(keyring).keyId, { stored: "allow", reason: "seen" }),
  "import a key": (keyring: Keyring) => keyring.importKey("op", newPrivate(), { state: "retired" }),
  "import a package": (keyring: Keyring) => keyring.importPackage("op", packageFor(keyring)),
} as const;

/** Names of the changes. */
export type ChangeName = keyof typeof CHANGES;

const { folder, changes, death }: Dying = JSON.parse(process.argv[2] ?? "{}");
const parts = await openParts(folder);
const kill = () => process.kill(process.pid, "SIGKILL");
const keyring = await openKeyring({
  tenant: "acme",
  folder,
  clock: () => new Date(),
  ...(death ? mortal(parts, { ...death, kill }) : parts),
});

/** Each line is what was promised: whoever reads it finds that, or more, afterwards. */
function promise(): void {
  writeSync(1, `${JSON.stringify(keyring.list().map(({ keyId, state }) => [keyId, state]))}\n`);
}

promise();
do {
  for (const name of changes ?? (Object.keys(CHANGES) as ChangeName[])) {
    await CHANGES[name](keyring);
    promise();
  }
} while (changes === undefined);
await keyring.close();
await parts.close();
