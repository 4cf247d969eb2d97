import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import { EXIT, messageOf, TrustKernError } from "../../../shared/errors.ts";
import { terraformErrors } from "./errors.ts";
import { jsonIn } from "./events.ts";

const run = promisify(execFile);
const OLDEST = [1, 11] as const;
const VERSION_TIMEOUT_MS = 20_000;
const Version = z.object({ terraform_version: z.string().regex(/^\d+\.\d+\.\d+/) });

/** The OpenTofu or Terraform that does the work. */
export interface TerraformProgram {
  /** What is started: a path, or a name that PATH resolves. */
  readonly path: string;
  /** Such as `1.12.6`. */
  readonly version: string;
}

/** Where to look for it. */
export interface ProgramSearch {
  /** Its PATH is searched. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /**
   * The one to take, and no other.
   * @default `tofu` from PATH, then `terraform` from PATH, then `fallback`
   */
  readonly binary?: string | undefined;
  /** Finds or builds a program where PATH has none that is new enough. */
  readonly fallback?: (() => Promise<string>) | undefined;
}

type Found = TerraformProgram & { readonly state: "usable" | "old" };
type Unusable =
  | { readonly state: "absent" }
  | { readonly state: "broken"; readonly path: string; readonly why: string };

/**
 * The OpenTofu or Terraform to use, 1.11 or newer.
 * @throws TERRAFORM_MISSING, TERRAFORM_TOO_OLD, DEPLOY_CANCELLED
 */
export async function findProgram(search: ProgramSearch): Promise<TerraformProgram> {
  const candidates = search.binary === undefined ? ["tofu", "terraform"] : [search.binary];
  const seen: (Found | Unusable)[] = [];
  for (const path of candidates) {
    const found = await ask(path, search);
    if (found.state === "usable") return { path: found.path, version: found.version };
    seen.push(found);
  }
  if (search.binary === undefined && search.fallback) {
    const found = await ask(await fallbackPath(search.fallback), search);
    if (found.state === "usable") return { path: found.path, version: found.version };
    seen.push(found);
  }
  throw refusal(seen, search.binary);
}

async function ask(path: string, { env, signal }: ProgramSearch): Promise<Found | Unusable> {
  try {
    const { stdout } = await run(path, ["version", "-json"], { env, signal, timeout: VERSION_TIMEOUT_MS });
    const version = Version.parse(jsonIn(stdout)).terraform_version;
    return { state: isNewEnough(version) ? "usable" : "old", path, version };
  } catch (thrown) {
    if (signal.aborted) throw terraformErrors.error("DEPLOY_CANCELLED", "interrupted while looking for OpenTofu");
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return { state: "absent" };
    return { state: "broken", path, why: messageOf(thrown).split("\n", 1)[0] ?? "" };
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

async function fallbackPath(fallback: () => Promise<string>): Promise<string> {
  try {
    return await fallback();
  } catch (thrown) {
    if (thrown instanceof TrustKernError && thrown.exit === EXIT.cancelled) throw thrown;
    throw terraformErrors.error(
      "TERRAFORM_MISSING",
      `PATH has neither tofu nor terraform ${OLDEST.join(".")} or newer, and one could not be made: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
}

function refusal(seen: readonly (Found | Unusable)[], asked: string | undefined): TrustKernError {
  const old = seen.filter((one) => "version" in one).map(({ path, version }) => `${path} is ${version}`);
  const broken = seen.filter((one) => one.state === "broken").map(({ path, why }) => `${path} does not run: ${why}`);
  const what = asked === undefined ? "PATH has no usable tofu or terraform" : `"${asked}" is not a usable program`;
  const message = `${[what, ...old, ...broken].join("; ")}; accepted is ${OLDEST.join(".")} or newer`;
  return terraformErrors.error(old.length > 0 ? "TERRAFORM_TOO_OLD" : "TERRAFORM_MISSING", message);
}
