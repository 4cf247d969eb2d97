import { z } from "zod";

// Each field's description is its contract: editors show it, and the error report prints it after "accepted:".

/** A duration such as `72h`, as a file says it. */
export const DURATION = /^[1-9][0-9]{0,8}[smhd]$/;

/** {@link DURATION} in words. */
export const DURATION_TEXT = "a whole number with s, m, h or d, such as 72h or 90d";

/** A field of text. */
export const text = (pattern: RegExp, accepted: string) => z.string().regex(pattern).describe(accepted);

/** A field with a whole number. */
export const whole = (min: number, max: number, unit: string) =>
  z.int().min(min).max(max).describe(`${unit}, a whole number from ${min} to ${max}`);

/** A path on the host. */
export const absolutePath = (what: string) =>
  text(/^\/[^\s;?&"'\\%]{1,255}$/, `absolute path of ${what}, without white space ; ? & % or quotes`).exactOptional();

/** What names a PKCS #11 token, and what opens it. */
export const tokenMembers = {
  module: absolutePath("the PKCS #11 library, with kind pkcs11"),
  token: text(
    /^[A-Za-z0-9._-]{1,32}$/,
    "label of the token: 1 to 32 of A-Z a-z 0-9 . _ -, with kind pkcs11",
  ).exactOptional(),
  pinFile: absolutePath("the file with the token's PIN, with kind pkcs11"),
};
