import type { Catalogue, TrustKernError } from "../../shared/errors.ts";

/** The errors that every kind of signed file has in its own catalogue, under its own prefix. */
type RefusalCode<P extends string> =
  | `${P}_MALFORMED`
  | `${P}_BAD_SIGNATURE`
  | `${P}_KEY_NEEDED`
  | `${P}_KEY_INVALID`
  | `${P}_OTHER_KEY`;

/** Makes the error of a code without its prefix. */
export type Refuse = (
  code: "MALFORMED" | "BAD_SIGNATURE" | "KEY_NEEDED" | "KEY_INVALID" | "OTHER_KEY",
  message: string,
  details?: { readonly path?: string; readonly fix?: string; readonly cause?: unknown },
) => TrustKernError;

/** How one kind of signed file is refused. */
export function refusalsOf<P extends string>(catalogue: Catalogue<RefusalCode<P>>, prefix: P): Refuse {
  return (code, message, details) => catalogue.error(`${prefix}_${code}`, message, details);
}
