import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../../shared/atomic-file.ts";
import { stableJson } from "../../../shared/stable-json.ts";

/** What would change what a run does behind our back; backend credentials, state encryption and tokens pass. */
const WITHHELD = /^TF_(CLI_ARGS.*|DATA_DIR|INPUT|IN_AUTOMATION|LOG.*|REATTACH_PROVIDERS|VAR_.*|WORKSPACE)$/;
/** What only matters where providers come from a registry. */
const WITHHELD_BY_MIRROR = /^TF_(CLI_CONFIG_FILE|PLUGIN_CACHE_.*)$/;

/** Where a run keeps what Terraform writes beside the state. */
export interface Folders {
  /** `TF_DATA_DIR`: providers and the word on the state's place. */
  readonly dataDir: string;
  readonly cliConfigFile: string;
}

/** The folders below the folder that holds the rendered stack. */
export function foldersOf(workDir: string): Folders {
  return { dataDir: join(workDir, "data"), cliConfigFile: join(workDir, "cli-config.tfrc") };
}

/**
 * Writes the CLI configuration that takes every provider from a filesystem mirror, so that no registry is ever asked.
 * The format is HCL 1, which reads JSON.
 */
export function writeCliConfig(file: string, mirror: string): void {
  const text = `${stableJson({
    disable_checkpoint: true,
    provider_installation: [{ filesystem_mirror: [{ path: mirror, include: ["*/*/*"] }] }],
  })}\n`;
  if (textOf(file) !== text) writeFileAtomic(file, text);
}

/** The environment of every run: the caller's, without what would change the run. */
export function environmentOf(env: NodeJS.ProcessEnv, folders: Folders, mirror: string | undefined): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !WITHHELD.test(name) && !(mirror !== undefined && WITHHELD_BY_MIRROR.test(name)),
  );
  return {
    ...Object.fromEntries(kept),
    TF_DATA_DIR: folders.dataDir,
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    CHECKPOINT_DISABLE: "1",
    ...(mirror === undefined ? {} : { TF_CLI_CONFIG_FILE: folders.cliConfigFile }),
  };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
