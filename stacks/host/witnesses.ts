import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../model/boundary.ts";
import { hostErrors } from "./errors.ts";

/** Volumes whose content must outlive every restart and is there by now, as `<component>.<volume>`. */
export function witnessedVolumes(
  model: Model,
  volumeDir: (component: string, volume: string) => string,
): readonly string[] {
  return witnessesOf(model, volumeDir)
    .filter(({ file }) => existsSync(file))
    .map(({ id }) => id);
}

/**
 * Refuses a deployment from whose volumes something is gone since the last run: with custody's keys or the database made
 * anew, messages that sensors have sent would be lost without a word.
 * @param known volumes that an earlier run had in use
 * @param volumeDir where a volume is on this machine
 * @throws STATE_CORRUPT naming all that is gone
 */
export function assertWitnesses(
  model: Model,
  known: readonly string[],
  volumeDir: (component: string, volume: string) => string,
): void {
  const gone = witnessesOf(model, volumeDir).filter(({ id, file }) => known.includes(id) && !existsSync(file));
  if (gone.length === 0) return;
  throw hostErrors.error("STATE_CORRUPT", `gone since the last run: ${gone.map(({ file }) => file).join(", ")}`, {
    path: gone[0]?.file,
  });
}

function witnessesOf(
  model: Model,
  volumeDir: (component: string, volume: string) => string,
): readonly { readonly id: string; readonly file: string }[] {
  return model.components.flatMap(({ name, volumes }) =>
    volumes.flatMap(({ name: volume, witness }) =>
      witness === undefined ? [] : [{ id: `${name}.${volume}`, file: join(volumeDir(name, volume), witness) }],
    ),
  );
}
