/**
 * Exit codes of the command line, and so the classes of failure every error belongs to.
 * 255 is our own bug and is never raised on purpose.
 */
export const EXIT = {
  done: 0,
  failed: 1,
  configuration: 2,
  authentication: 3,
  resource: 4,
  policy: 5,
  notFound: 6,
  changes: 7,
  cancelled: 8,
  timeout: 9,
  bug: 255,
} as const;

/** One of the documented exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One line of a folder's catalogue: what the code means, and the command or change that mends it. */
export interface ErrorEntry {
  readonly exit: ExitCode;
  /** What the code means, for `trustkern explain CODE`. */
  readonly summary: string;
  /** What mends it; a single error may say it more precisely. */
  readonly fix: string;
}

/** What one error adds to its catalogue line. */
export interface ErrorDetails {
  /** Property path, file or object that is wrong. */
  readonly path?: string | undefined;
  /** @default the fix of the catalogue line */
  readonly fix?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The one error class. `message` says what is wrong, with the value and what is accepted; it never holds secret material.
 */
export class TrustKernError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly fix: string;
  readonly path: string | undefined;

  constructor(code: string, entry: ErrorEntry, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "TrustKernError";
    this.code = code;
    this.exit = entry.exit;
    this.fix = details.fix ?? entry.fix;
    this.path = details.path;
  }
}

/** The error codes of one folder, and how to raise them. */
export interface Catalogue<C extends string> {
  readonly entries: Readonly<Record<C, ErrorEntry>>;
  /** Makes, and does not throw, the error of that code. */
  readonly error: (code: C, message: string, details?: ErrorDetails) => TrustKernError;
}

/** Declares a folder's error codes. */
export function catalogue<C extends string>(entries: Readonly<Record<C, ErrorEntry>>): Catalogue<C> {
  return { entries, error: (code, message, details) => new TrustKernError(code, entries[code], message, details) };
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
