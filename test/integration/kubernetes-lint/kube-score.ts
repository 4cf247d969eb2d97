import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { defaultCacheDir } from "../../../operations/tools/context.ts";
import { ensureTool } from "../../../operations/tools/ensure-tool.ts";
import { toolVersion } from "../../../operations/tools/programs.ts";
import { PROJECT } from "../../support/deployment.ts";
import type { Exported } from "../../support/exported.ts";
import { runProgram } from "../../support/run.ts";
import type { Open } from "./waivers.ts";

/** It is compiled at the first run on a machine. */
const COLD_MS = 900_000;
/** What is this or more is all right, in its grades. */
const GRADE_OK = 10;
/** Kinds of which it has no checks, and does not tell. */
const WITHOUT_CHECKS = /^\d{2}-(namespace|serviceaccount|configmap)-/;
const OPTIONAL = [
  "container-resource-requests-equal-limits",
  "container-cpu-requests-equal-limits",
  "container-memory-requests-equal-limits",
  "container-ephemeral-storage-request-equals-limit",
  "container-ports-check",
  "container-seccomp-profile",
];
const scored = z.array(
  z.object({
    object_name: z.string(),
    checks: z.array(
      z.object({
        check: z.object({ id: z.string() }),
        grade: z.number(),
        skipped: z.boolean(),
        comments: z.array(z.object({ summary: z.string() })).nullable(),
      }),
    ),
  }),
);

/** kube-score, with the checks that are its user's choice as well. */
export class KubeScore {
  #program = "";

  /** Finds it, or builds it. */
  async start(): Promise<void> {
    const context = {
      cacheDir: defaultCacheDir(process.env, homedir()),
      toolsDir: join(PROJECT, "tools"),
      env: process.env,
      signal: AbortSignal.timeout(COLD_MS),
      onProgress: () => undefined,
    };
    this.#program = await ensureTool(context, "kube-score");
  }

  /** Lints an export, every object for whose kind it has checks; what it says less than "all right" of is open. */
  async lint({ folder, files }: Exported): Promise<readonly Open[]> {
    const release = toolVersion("kube-apiserver").split(".").slice(0, 2).join(".");
    const { code, stdout, stderr } = await runProgram(this.#program, [
      ...["score", "--output-format", "json", "--kubernetes-version", `v${release}`],
      "--disable-ignore-checks-annotations",
      ...OPTIONAL.flatMap((id) => ["--enable-optional-test", id]),
      ...files.map((file) => join(folder, file)),
    ]);
    // 1 where something is critical, and also where it could not read: then there is no JSON.
    if (code !== 0 && (code !== 1 || stdout === "")) throw new Error(`kube-score ended with ${code}: ${stderr}`);
    const objects = scored.parse(JSON.parse(stdout));
    const all = files.filter((file) => !WITHOUT_CHECKS.test(file)).length;
    if (objects.length !== all) throw new Error(`kube-score looked at ${objects.length} objects of ${all}`);
    return objects.flatMap(({ object_name: object, checks }) =>
      checks
        .filter(({ grade, skipped }) => !skipped && grade < GRADE_OK)
        .flatMap(({ check, comments }) => {
          const said = comments !== null && comments.length > 0 ? comments : [{ summary: "" }];
          return said.map(({ summary }) => ({ tool: "kube-score", check: check.id, says: summary, object }) as const);
        }),
    );
  }
}
