import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { clean, diagnose } from "./diagnose.ts";
import { environmentOf, foldersOf, writeCliConfig } from "./environment.ts";
import { terraformErrors } from "./errors.ts";
import { type Diagnostic, jsonIn, parseEvent } from "./events.ts";
import { initHash, isInitDone, LOCK_FILE } from "./init.ts";
import type { ResourceNames } from "./names.ts";
import type { TerraformProgram } from "./program.ts";
import { type ProgressEvent, progressOf } from "./progress.ts";
import { type RunEnd, runProgram } from "./run.ts";

/** Below this the state may not fit any more when it is saved. */
const MIN_FREE_BYTES = 16 * 1024 * 1024;
/** The Docker provider waits 2 s for each network: the default of 10 at once makes rounds of them. */
const PARALLELISM = 32;
const CHANGES_EXIT_CODE = 2;
const Outputs = z.record(z.string(), z.object({ value: z.unknown() }));
const State = z.object({
  values: z
    .object({ root_module: z.object({ resources: z.array(z.object({ address: z.string() })).default([]) }) })
    .optional(),
});

/** What a run is handed. */
export interface TerraformContext {
  readonly program: TerraformProgram;
  /** Folder of the rendered stack (`cdk.tf.json`); Terraform's own files go beside it. */
  readonly workDir: string;
  /** Name of the state's file in `workDir`; undefined where a remote back end keeps the state. */
  readonly localState: string | undefined;
  readonly names: ResourceNames;
  /**
   * Filesystem mirror that every provider comes from.
   * @default the registry, by the user's own CLI configuration
   */
  readonly mirror?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Interrupts the run; Terraform saves its state and ends. */
  readonly signal: AbortSignal;
  readonly onProgress: (event: ProgressEvent) => void;
  /**
   * Free space below which nothing is started.
   * @default 16 MiB
   */
  readonly minFreeBytes?: number;
}

/** What a plan does beyond what the stack says. */
export interface PlanOptions {
  /**
   * Plan to remove everything.
   * @default false
   */
  readonly destroy?: boolean;
  /**
   * Addresses to make anew although the provider sees no difference, see `driftThatStays`.
   * @default []
   */
  readonly replace?: readonly string[];
}

/** OpenTofu or Terraform on one rendered stack. Each call throws what `diagnose` made of a failure, or DEPLOY_CANCELLED. */
export interface Terraform {
  /** Prepares the folder, where it is not prepared already, and takes back a state that an earlier run could not save. */
  readonly init: () => Promise<void>;
  /** Plans into a file of mode 0600. @returns whether anything would change */
  readonly plan: (planFile: string, options?: PlanOptions) => Promise<boolean>;
  /** The plan file as JSON, for `describePlan`. */
  readonly show: (planFile: string) => Promise<unknown>;
  /** Applies a plan file, or what the stack says now. */
  readonly apply: (planFile?: string) => Promise<void>;
  readonly destroy: () => Promise<void>;
  /** Addresses of what the state holds. */
  readonly resources: () => Promise<readonly string[]>;
  readonly outputs: () => Promise<Readonly<Record<string, unknown>>>;
  /** The state as its place keeps it, or an empty text where there is none yet. */
  readonly pull: () => Promise<string>;
}

/** The commands on one stack. Paths of plan files are absolute. */
export function terraform(context: TerraformContext): Terraform {
  const { program, workDir, mirror } = context;
  const folders = foldersOf(workDir);
  const stampFile = join(folders.dataDir, "init-stamp");
  const rescued = join(workDir, "errored.tfstate");

  const start = async (args: readonly string[]): Promise<RunEnd & { readonly lines: readonly string[] }> => {
    const lines: string[] = [];
    const diagnostics: Diagnostic[] = [];
    const end = await runProgram({
      path: program.path,
      args,
      cwd: workDir,
      env: environmentOf(context.env, folders, mirror),
      signal: context.signal,
      onLine: (line) => {
        const event = parseEvent(line);
        if (event === undefined) lines.push(line);
        else if (event.type === "diagnostic") diagnostics.push(event.diagnostic);
        const step = event && progressOf(event, context.names);
        if (step) context.onProgress(step);
      },
    });
    if (end.exitCode === 0 || (end.exitCode === CHANGES_EXIT_CODE && args[0] === "plan")) return { ...end, lines };
    throw failure(diagnostics, end, context, args[0] ?? "", folders.dataDir);
  };
  const change = async (args: readonly string[]): Promise<RunEnd> => {
    requireSpace(workDir, context.minFreeBytes ?? MIN_FREE_BYTES);
    return start([
      ...args.slice(0, 1),
      "-json",
      "-input=false",
      "-lock-timeout=0s",
      `-parallelism=${PARALLELISM}`,
      ...args.slice(1),
    ]);
  };
  const json = async (args: readonly string[]): Promise<unknown> => jsonIn((await start(args)).lines.join("\n"));

  return {
    init: async () => {
      requireSpace(workDir, context.minFreeBytes ?? MIN_FREE_BYTES);
      // The state is written with the mode that the umask gives.
      chmodSync(workDir, 0o700);
      mkdirSync(folders.dataDir, { recursive: true, mode: 0o700 });
      if (mirror !== undefined) writeCliConfig(folders.cliConfigFile, mirror);
      const hash = initHash(workDir, mirror, program);
      if (!isInitDone(stampFile, hash, folders.dataDir, workDir)) {
        // A mirror is trusted by itself, and a program built again has another hash; a registry's is held to the first one.
        if (mirror !== undefined) rmSync(join(workDir, LOCK_FILE), { force: true });
        await start(["init", "-json", "-input=false"]);
        writeFileSync(stampFile, hash, { mode: 0o600 });
      }
      if (!existsSync(rescued)) return;
      await start(["state", "push", "-lock-timeout=0s", rescued]);
      renameSync(rescued, `${rescued}.pushed`);
    },
    plan: async (planFile, { destroy = false, replace = [] } = {}) => {
      const made = replace.map((address) => `-replace=${address}`);
      const flags = ["-detailed-exitcode", `-out=${planFile}`, ...(destroy ? ["-destroy"] : []), ...made];
      const { exitCode } = await change(["plan", ...flags]);
      chmodSync(planFile, 0o600);
      return exitCode === CHANGES_EXIT_CODE;
    },
    show: (planFile) => json(["show", "-json", planFile]),
    apply: async (planFile) => {
      await change(["apply", ...(planFile === undefined ? ["-auto-approve"] : [planFile])]);
    },
    destroy: async () => {
      await change(["destroy", "-auto-approve"]);
    },
    resources: async () =>
      (State.parse(await json(["show", "-json"])).values?.root_module.resources ?? []).map(({ address }) => address),
    pull: async () => (await start(["state", "pull"])).lines.join("\n"),
    outputs: async () =>
      Object.fromEntries(
        Object.entries(Outputs.parse(await json(["output", "-json"]))).map(([name, { value }]) => [name, value]),
      ),
  };
}

/** @throws TERRAFORM_DISK_FULL before a run that could not save what it did */
function requireSpace(folder: string, bytes: number): void {
  const free = freeBytes(folder);
  if (free >= bytes) return;
  throw terraformErrors.error("TERRAFORM_DISK_FULL", `the disk has ${free} bytes free, needed are ${bytes}`, {
    path: folder,
  });
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function failure(
  diagnostics: readonly Diagnostic[],
  { exitCode, stderr }: RunEnd,
  { program, workDir, localState, names, signal }: TerraformContext,
  command: string,
  dataDir: string,
) {
  if (signal.aborted) {
    return terraformErrors.error(
      "DEPLOY_CANCELLED",
      `\`${command}\` was interrupted before it was done; what it did is kept`,
    );
  }
  const said = diagnostics.some(({ severity }) => severity === "error");
  // Its output is on the same disk: on a full one it cannot even complain.
  if (!said && freeBytes(workDir) < 4096)
    return terraformErrors.error("TERRAFORM_DISK_FULL", "the disk is full", { path: workDir });
  if (!said) {
    const how = exitCode === undefined ? "was ended by a signal" : `ended with exit code ${exitCode}`;
    return terraformErrors.error(
      "TERRAFORM_FAILED",
      `\`${program.path} ${command}\` ${how}: ${clean(stderr) || "no word why"}`,
    );
  }
  return diagnose(diagnostics, {
    names,
    stateFile: join(workDir, localState ?? ""),
    unlock:
      localState === undefined
        ? (id) =>
            `TF_DATA_DIR=${quoted(dataDir)} ${quoted(program.path)} -chdir=${quoted(workDir)} force-unlock -force ${quoted(id)}`
        : undefined,
  });
}

/** A word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
