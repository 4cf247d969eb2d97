import { createPublicKey } from "node:crypto";
import { z } from "zod";
import { messageOf } from "../shared/errors.ts";
import { protocolErrors } from "./errors.ts";
import { importX25519Private, keyIdOf } from "./hpke.ts";
import { importP256Point } from "./signature.ts";
import { VERDICTS } from "./verdict.ts";

const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/** Aborts when wrong, so that no rule about keys sees bytes that are none. */
const hex = (length?: number) =>
  z
    .string()
    .refine((text) => HEX.test(text) && (length === undefined || text.length === 2 * length), {
      error: `must be hexadecimal of ${length ?? "whole"} bytes`,
      abort: true,
    })
    .toLowerCase();

const vectorCase = z.object({
  name: z.string(),
  envelope: hex(),
  verdict: z.enum(VERDICTS),
  /** Of an accepted envelope; not compared when left out. */
  payload: z.unknown().optional(),
  /** Of an accepted envelope at a collector. */
  late: z.boolean().default(false),
});

const recipient = z
  .object({ private_key: hex(32), public_key: hex(32), key_id: hex(8) })
  .superRefine(({ private_key, public_key, key_id }, context) => {
    const privateKey = importX25519Private(Buffer.from(private_key, "hex"));
    const publicRaw = createPublicKey(privateKey).export({ format: "raw-public" });
    if (publicRaw.toString("hex") !== public_key) {
      context.addIssue({ code: "custom", path: ["public_key"], message: "is not the private key's" });
    } else if (keyIdOf(publicRaw).toString("hex") !== key_id) {
      context.addIssue({
        code: "custom",
        path: ["key_id"],
        message: "must be the first 8 bytes of SHA-256 of the public key",
      });
    }
  });

const sensor = z.object({
  sensor_id: hex(9),
  public_key: hex(65).refine(isPoint, "must be an uncompressed point on P-256"),
});

const vectorsFile = z.object({
  recipient,
  allowlist: z.array(sensor),
  /** A collector's verdicts, each with a fresh state. */
  single: z.array(vectorCase).default([]),
  /** The same messages in order, through one gateway and through one collector. */
  sequence: z
    .object({ gateway: z.array(vectorCase).default([]), collector: z.array(vectorCase).default([]) })
    .default({ gateway: [], collector: [] }),
});

/** Known answers for envelopes, in the form of `envelope-v1.json`. Members beyond these are ignored. */
export type VectorsFile = Readonly<z.infer<typeof vectorsFile>>;

/** One known answer. */
export type VectorCase = Readonly<z.infer<typeof vectorCase>>;

/**
 * Reads a file of known answers.
 * @throws VECTORS_MALFORMED with everything that is wrong
 */
export function parseVectors(json: string): VectorsFile {
  const parsed = vectorsFile.safeParse(parseJson(json));
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "file"}: ${message}`);
  throw protocolErrors.error("VECTORS_MALFORMED", mistakes.join("; "), {
    path: parsed.error.issues[0]?.path.join("."),
  });
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw protocolErrors.error("VECTORS_MALFORMED", `not JSON: ${messageOf(cause)}`);
  }
}

function isPoint(point: string): boolean {
  try {
    importP256Point(Buffer.from(point, "hex"));
    return true;
  } catch {
    return false;
  }
}
