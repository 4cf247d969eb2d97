import { rmSync } from "node:fs";
import { journalFileOf } from "./certs-site.ts";
import { writing } from "./files.ts";
import { custodyFolder } from "./generations/signer-pin.ts";
import type { Layout } from "./layout.ts";
import { trustFiles } from "./trust/place.ts";

/**
 * Removes everything that a deployment keeps in its state directory: volumes, secrets, certificates, and what ties it to them.
 * @throws STATE_UNWRITABLE
 */
export function removeStored(layout: Layout): void {
  const kinds = [
    layout.volumesDir,
    layout.secretsDir,
    layout.authoritiesDir,
    layout.configDir,
    layout.runDir,
    trustFiles(layout).folder,
    custodyFolder(layout.dir),
  ];
  for (const dir of [...kinds, layout.terraformDir, layout.logsDir, journalFileOf({ layout }), layout.stateFile]) {
    writing(dir, () => rmSync(dir, { recursive: true, force: true }));
  }
}
