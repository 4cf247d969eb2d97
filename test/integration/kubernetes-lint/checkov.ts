import { dirname, join } from "node:path";
import { z } from "zod";
import type { Exported } from "../../support/exported.ts";
import { pythonWith } from "../../support/python.ts";
import { runProgram } from "../../support/run.ts";
import type { Open } from "./waivers.ts";

/** Its release, which `requirements.txt` pins. */
export const CHECKOV = "3.3.30";

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
/** No way out: whatever it would ask for is refused at once. */
const OFFLINE = Object.fromEntries(
  ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map((name) => [name, "http://127.0.0.1:9"]),
);
const WITH_PODS = /^\d{2}-(statefulset|deployment|job)-/;
const report = z.object({
  check_type: z.literal("kubernetes"),
  results: z.object({
    failed_checks: z.array(z.object({ check_id: z.string(), check_name: z.string(), resource: z.string() })),
  }),
  summary: z.object({
    passed: z.number().min(1),
    failed: z.number(),
    skipped: z.literal(0),
    parsing_errors: z.literal(0),
    resource_count: z.number(),
    checkov_version: z.literal(CHECKOV),
  }),
});

/** checkov, in a virtual environment of the cache. It has no account, and asks nobody. */
export class Checkov {
  #python = "";

  /** Finds it, or installs it. */
  async start(): Promise<void> {
    this.#python = await pythonWith(`checkov-${CHECKOV}`, REQUIREMENTS);
  }

  /**
   * Lints an export with every check for Kubernetes. It passes over what it cannot read without a word, so its count has to be
   * that of all files, and of the pods of their templates.
   */
  async lint({ folder, files }: Exported): Promise<readonly Open[]> {
    const program = join(dirname(this.#python), "checkov");
    const options = ["--framework", "kubernetes", "--skip-download", "--output", "json"];
    const { code, stdout, stderr } = await runProgram(
      this.#python,
      ["-I", program, "--directory", folder, ...options],
      { cwd: folder, env: OFFLINE, timeoutSeconds: 150 },
    );
    if (code !== 0 && code !== 1) throw new Error(`checkov ended with ${code}: ${stderr}`);
    const { results, summary } = report.parse(JSON.parse(stdout));
    const open = results.failed_checks.map(
      ({ check_id: check, check_name: says, resource: object }) => ({ tool: "checkov", check, says, object }) as const,
    );
    if (open.length !== summary.failed) throw new Error(`checkov lists ${open.length} of ${summary.failed} findings`);
    const all = files.length + files.filter((file) => WITH_PODS.test(file)).length;
    if (summary.resource_count !== all)
      throw new Error(`checkov looked at ${summary.resource_count} objects of ${all}`);
    return open;
  }
}
