/**
 * A process that records, makes and destroys a key, and writes the state of a keyring: files that must be on the disk before
 * it prints, in order, `opened`, `recorded`, `made`, `destroyed`, and `written`.
 * usage: node changer.ts FOLDER
 */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { createMemorySigner } from "../../../certs/signers/index.ts";
import { openAuditLog } from "../../../custody/audit/log.ts";
import { opened } from "../../../custody/audit/test-log.ts";
import { openFileStore } from "../../../custody/backends/file.ts";
import { stateFileIn } from "../../../custody/keyring/state-file.ts";

const [folder = ""] = process.argv.slice(2);
const say = (word: string): unknown => writeSync(1, `${word}\n`);

const { signer } = await createMemorySigner("P-256", "memory");
const log = await openAuditLog({
  folder: join(folder, "audit"),
  signer,
  clock: () => new Date(),
  limitMs: 30_000,
  segmentBytes: 1_500,
});
say("opened");
for (let number = 0; number < 6; number++) await log.append(opened(number));
say("recorded");

const passphrase = Buffer.from(randomBytes(32).toString("hex"));
const keys = await openFileStore({ kind: "file", folder: join(folder, "keys"), passphrase });
const { keyId } = await keys.generate();
say("made");
await keys.destroy(keyId);
say("destroyed");

const state = stateFileIn(join(folder, "state"));
for (const text of ["old", "new"]) await state.write(text);
say("written");
await Promise.all([keys.close(), log.close()]);
