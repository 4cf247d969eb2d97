import { z } from "zod";
import { normalSerial } from "../../certs/serial.ts";

/** That many bytes in lower-case hex. */
export const hex = (bytes: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${bytes} bytes in lower-case hex`);

/** What a maker calls itself or a model. */
export const label = z.string().regex(/^[\x20-\x7e]{1,64}$/, "must be 1 to 64 printable ASCII characters");

/** Name of a maker, as it stands in device certificates. */
export const makerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be 1 to 40 of a-z 0-9 - and begin with no -");

/** An uncompressed P-256 point. */
export const point = hex(65);

/** What a device is known by. */
export const hardwareId = z.string().regex(/^(?:[0-9a-f]{2}){4,32}$/, "must be 4 to 32 bytes in lower-case hex");

/** Common name of a gateway. */
export const gatewayName = z.string().regex(/^gw-[a-z0-9-]{1,60}$/, "must be gw- and 1 to 60 of a-z 0-9 -");

/** Serial number of a certificate in hex, as people copy it: in any case, with leading zeros or without. */
export const serialNumber = z
  .string()
  .regex(/^[0-9a-fA-F]{1,42}$/, "must be 1 to 42 hex digits")
  .transform(normalSerial);
