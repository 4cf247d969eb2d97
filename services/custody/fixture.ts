import { readFileSync } from "node:fs";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { custodyServiceErrors } from "./errors.ts";

const fixtureSchema = z.object({ recipient: z.object({ private_key: z.string().regex(/^[0-9a-f]{64}$/) }) });

/**
 * The recipient's raw private key in a vectors file.
 * @throws CUSTODY_FIXTURE_INVALID
 */
export function readFixtureKey(file: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw custodyServiceErrors.error("CUSTODY_FIXTURE_INVALID", `cannot read: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
  const parsed = fixtureSchema.safeParse(parseJson(text));
  if (parsed.success) return Buffer.from(parsed.data.recipient.private_key, "hex");
  throw custodyServiceErrors.error("CUSTODY_FIXTURE_INVALID", '"recipient.private_key" is not 64 hexadecimal digits', {
    path: file,
  });
}

/** Without JSON's own error, which quotes the text: a private key may be in it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
