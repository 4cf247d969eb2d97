import type { Finding } from "../shared/finding.ts";

/** Several findings as one message: a line of its own for each, with its position, path, and fix. */
export function renderFindings(title: string, findings: readonly Finding[]): string {
  const count = findings.length === 1 ? "1 mistake" : `${findings.length} mistakes`;
  return [`${title}: ${count}`, ...findings.map(renderFinding)].join("\n");
}

function renderFinding({ code, path, message, fix, line, column }: Finding): string {
  const position = line === undefined ? "" : `line ${line}, column ${column ?? 1}, `;
  return `  ${position}${path || "the document"}: ${message} [${code}]\n    fix: ${fix}`;
}

/** The findings that an error was raised for, or none. */
export function findingsOf(thrown: unknown): readonly Finding[] {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return Array.isArray(cause) && cause.every(isFinding) ? cause : [];
}

function isFinding(value: unknown): value is Finding {
  return typeof value === "object" && value !== null && "code" in value && "path" in value && "fix" in value;
}
