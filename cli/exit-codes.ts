import { EXIT } from "../shared/errors.ts";

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: "done",
  failed: "failed, or not proven",
  configuration: "configuration or validation",
  authentication: "authentication or authorisation",
  resource: "a resource failed",
  policy: "policy or boundary broken",
  notFound: "not found",
  changes: "changes where none were expected (--detailed-exitcode)",
  cancelled: "cancelled",
  timeout: "time-out",
  bug: "a bug of ours",
};

/** Every exit code with its meaning, in ascending order. */
export function exitCodes(): readonly { readonly code: number; readonly meaning: string }[] {
  return Object.entries(EXIT)
    .map(([name, code]) => ({ code, meaning: MEANINGS[name as keyof typeof EXIT] }))
    .sort((a, b) => a.code - b.code);
}

/** The exit codes as `trustkern help exit-codes` prints them. */
export function renderExitCodes(): string {
  return exitCodes()
    .map(({ code, meaning }) => `${String(code).padStart(3)}  ${meaning}\n`)
    .join("");
}
