import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { p256Signer } from "../../../protocol/signature.ts";
import { writeFileAtomic } from "../../../shared/atomic-file.ts";
import { messageOf } from "../../../shared/errors.ts";
import { mistakesOf } from "../../runtime/config.ts";
import { simulatorErrors } from "../errors.ts";
import { SECURE_ELEMENT_COMMANDS, type SecureElement, type SecureElementAnswer } from "./secure-element.ts";

const hex = (maxBytes: number) =>
  z.string().regex(new RegExp(`^([0-9a-f]{2}){0,${maxBytes}}$`), "must be lower-case hex");

const commandSchema = z.discriminatedUnion("command", [
  z.strictObject({ command: z.literal("info") }),
  z.strictObject({ command: z.literal("serial") }),
  z.strictObject({ command: z.literal("public-key") }),
  z.strictObject({ command: z.literal("sign"), data: hex(4096) }),
  z.strictObject({ command: z.literal("random"), bytes: z.int().min(1).max(32).default(32) }),
  z.strictObject({ command: z.literal("counter"), increment: z.boolean().default(false) }),
]);

const fileSchema = z.strictObject({
  serial: z.string().regex(/^[0-9a-f]{18}$/),
  key: z.string(),
  counter: z.int().min(0),
});

/** First two bytes and last byte of every ATECC608A's serial number. */
const SERIAL = { head: "0123", tail: "ee", randomBytes: 6 } as const;

/**
 * Stand-in for an ATECC608A: a P-256 key that was made inside, in a private field and in a file of mode 0600 that belongs
 * to the stand-in alone.
 */
export class SoftSecureElement implements SecureElement {
  readonly #path: string;
  readonly #serial: string;
  readonly #key: KeyObject;
  #counter: number;

  /**
   * Opens a secure element's file.
   * @throws SIM_STATE_UNUSABLE
   */
  constructor(path: string) {
    try {
      const { serial, key, counter } = fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
      this.#path = path;
      this.#serial = serial;
      this.#key = createPrivateKey(key);
      this.#counter = counter;
    } catch (thrown) {
      // Neither message nor cause: a parser's words may quote the file.
      const reason = (thrown as NodeJS.ErrnoException).code ?? "damaged";
      throw simulatorErrors.error("SIM_STATE_UNUSABLE", `cannot open a secure element: ${reason}`, { path });
    }
  }

  /** Carries out one command; see {@link SecureElement}. */
  async execute(input: unknown): Promise<SecureElementAnswer> {
    const parsed = commandSchema.safeParse(input);
    if (!parsed.success) throw refusal(input, mistakesOf(parsed.error));
    const command = parsed.data;
    switch (command.command) {
      case "info":
        return { model: "ATECC608A (stand-in)", revision: "00006002", locked: true };
      case "serial":
        return { serial: this.#serial };
      case "public-key":
        return { public_key: this.#publicPoint() };
      case "sign":
        return {
          signature: Buffer.from(await p256Signer(this.#key)(Buffer.from(command.data, "hex"))).toString("hex"),
        };
      case "random":
        return { random: randomBytes(command.bytes).toString("hex") };
      case "counter":
        if (command.increment) this.#increment();
        return { counter: this.#counter };
    }
  }

  #publicPoint(): string {
    return createPublicKey(this.#key).export({ format: "raw-public", type: "uncompressed" }).toString("hex");
  }

  #increment(): void {
    writeElement(this.#path, this.#serial, this.#key, this.#counter + 1);
    this.#counter += 1;
  }
}

/**
 * Makes a key inside a new secure element.
 * @param folder - where its file goes, `<serial>.json`
 * @returns the serial number in lower-case hex, 9 bytes
 * @throws SIM_STATE_UNUSABLE
 */
export function makeSoftSecureElement(folder: string): string {
  const serial = `${SERIAL.head}${randomBytes(SERIAL.randomBytes).toString("hex")}${SERIAL.tail}`;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  try {
    writeElement(softSecureElementFile(folder, serial), serial, privateKey, 0);
  } catch (cause) {
    const message = `cannot keep a secure element: ${messageOf(cause)}`;
    throw simulatorErrors.error("SIM_STATE_UNUSABLE", message, { path: folder, cause });
  }
  return serial;
}

/** Path of a secure element's file. */
export function softSecureElementFile(folder: string, serial: string): string {
  return join(folder, `${serial}.json`);
}

function writeElement(path: string, serial: string, privateKey: KeyObject, counter: number): void {
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileAtomic(path, JSON.stringify({ serial, key, counter }));
}

function refusal(input: unknown, mistakes: string): Error {
  const name = String((input as { command?: unknown } | null | undefined)?.command).slice(0, 40);
  const accepted = SECURE_ELEMENT_COMMANDS.join(", ");
  return simulatorErrors.error("SE_COMMAND_REFUSED", `"${name}" is refused (${mistakes}); accepted: ${accepted}`);
}
