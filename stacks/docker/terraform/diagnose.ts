import type { TrustKernError } from "../../../shared/errors.ts";
import { terraformErrors } from "./errors.ts";
import type { Diagnostic } from "./events.ts";
import { type ResourceNames, wordsOf } from "./names.ts";

const MAX_TEXT = 400;

type Code = keyof typeof terraformErrors.entries;

/** One way to fail that has a code: the first rule that matches a diagnostic says what it is. */
interface Rule {
  readonly code: Code;
  readonly pattern: RegExp;
  readonly say?: (match: RegExpExecArray) => string;
}

/** What comes first is the cause where several things are wrong: without Docker nothing else can be right. */
const RULES: readonly Rule[] = [
  {
    code: "DOCKER_UNREACHABLE",
    pattern:
      /cannot connect to the docker daemon(?: at (\S+?)\.? )?|error pinging docker server|permission denied while trying to connect to the docker/i,
    say: ([, address]) => `the Docker daemon does not answer${address ? ` at ${address}` : ""}`,
  },
  { code: "TERRAFORM_DISK_FULL", pattern: /no space left on device|disk quota exceeded/i },
  {
    code: "STATE_CREDENTIALS",
    pattern:
      /no valid credential sources found|error (?:configuring|refreshing).*credentials|InvalidAccessKeyId|(?:state|S3)[\s\S]*\b(?:401|403)\b/i,
  },
  { code: "STATE_LOCKED", pattern: /state lock[\s\S]*Lock Info:/i },
  {
    code: "STATE_BACKEND_CHANGED",
    pattern: /backend configuration (block has )?changed|initial configuration of the requested backend/i,
  },
  {
    code: "PROVIDER_MISSING",
    pattern:
      /failed to (query available|resolve) provider packages|failed to install provider|inconsistent dependency lock file|match any of the checksums|required plugins are not installed/i,
  },
  {
    code: "PLAN_UNUSABLE",
    pattern: /saved plan is stale|failed to (load|read) .*plan( file)?|plan file .*(created by|different)/i,
  },
  {
    code: "PORT_TAKEN",
    pattern:
      /([\d.]+|\[[\da-f:]+\]):(\d+)\b[^:]*:? ?(?:bind: )?(?:address already in use|.*port is already allocated)/i,
    say: ([, host, port]) => `port ${port} on ${host} is taken`,
  },
  {
    code: "IMAGE_MISSING",
    pattern:
      /no such image:? ?(\S*)|unable to (?:find or )?pull image (\S+?):? |manifest unknown|pull access denied for (\S+?),/i,
    say: ([, a, b, c]) => `image ${a || b || c || ""} is missing`.replace("  ", " "),
  },
  {
    code: "NAME_TAKEN",
    pattern: /container name "\/?([^"]+)" is already in use|network with name (\S+) already exists/i,
    say: ([, container, network]) =>
      container ? `a container named "${container}" exists` : `a network named "${network}" exists`,
  },
  { code: "SUBNET_TAKEN", pattern: /pool overlaps with other one/i },
];

/** What is known about the run that failed. */
export interface FailedRun {
  readonly names: ResourceNames;
  /** The command that gives back a lock whose run is gone; undefined where the lock is the kernel's and goes with its process. */
  readonly unlock: ((id: string) => string) | undefined;
  readonly stateFile: string;
}

/** The one error for everything that a run complained about, in the words of the model, without secrets. */
export function diagnose(diagnostics: readonly Diagnostic[], run: FailedRun): TrustKernError {
  const findings = [...new Map(diagnostics.filter(isError).map((one) => findingOf(one, run))).values()];
  const first = [...findings].sort((a, b) => rankOf(a.code) - rankOf(b.code))[0];
  if (first === undefined) return terraformErrors.error("TERRAFORM_FAILED", "it ended without saying why");
  const fixes = [
    ...new Set(
      [first, ...findings]
        .filter(({ code }) => code !== "TERRAFORM_FAILED" || first.code === code)
        .map(({ fix }) => fix),
    ),
  ];
  const message = [...new Set([first, ...findings].map(({ message }) => message))].join("; ");
  return terraformErrors.error(first.code, message, { path: first.address, fix: fixes.join("; ") });
}

interface Finding {
  readonly code: Code;
  readonly message: string;
  readonly fix: string;
  readonly address: string | undefined;
}

function findingOf(diagnostic: Diagnostic, run: FailedRun): readonly [string, Finding] {
  const { summary, detail, address } = diagnostic;
  const text = `${summary}\n${detail}`;
  const subject = address === undefined ? "" : `${wordsOf(run.names, address)}: `;
  for (const { code, pattern, say } of RULES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const lock = code === "STATE_LOCKED" ? lockOf(detail, run) : undefined;
    const message = lock?.message ?? `${subject}${say?.(match) ?? clean(text)}`;
    const fix = lock?.fix ?? terraformErrors.entries[code].fix;
    return [message, { code, message, fix, address }];
  }
  const message = `${subject}${clean(text)}`;
  return [message, { code: "TERRAFORM_FAILED", message, fix: terraformErrors.entries.TERRAFORM_FAILED.fix, address }];
}

/**
 * Who holds the lock. The HTTP back end of Terraform names the holder in its message and the run that was refused in the
 * lock info; then only the holder's id is to be believed.
 */
function lockOf(detail: string, { unlock, stateFile }: FailedRun): { readonly message: string; readonly fix: string } {
  const field = (name: string): string | undefined => new RegExp(`^ *${name}: +(\\S.*)$`, "m").exec(detail)?.[1];
  const holder = /already locked: ID=(\S+)/.exec(detail)?.[1];
  const id = holder ?? field("ID") ?? "unknown";
  const known = holder === undefined || holder === field("ID");
  const who = known ? `${field("Who") ?? "someone"} since ${field("Created") ?? "an unknown time"}, ` : "";
  const message = `the state is locked by another run (${who}lock ${id})`;
  if (unlock === undefined) {
    return { message, fix: `the other run is alive: wait until it ends; \`fuser ${stateFile}\` names its process` };
  }
  return { message, fix: `wait until the other run ends; if it was killed, give its lock back with \`${unlock(id)}\`` };
}

/** Without what could be a credential, and in one line. */
export function clean(text: string): string {
  const line = text
    .replace(/-----BEGIN[^-]*-----[\s\S]*?(-----END[^-]*-----|$)/g, "(PEM left out)")
    .replace(/\/\/[^/\s@]*@/g, "//")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}

function isError({ severity }: Diagnostic): boolean {
  return severity === "error";
}

function rankOf(code: Code): number {
  const rank = RULES.findIndex((rule) => rule.code === code);
  return rank < 0 ? RULES.length : rank;
}
