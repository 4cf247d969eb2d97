import { normalSerial } from "../certs/serial.ts";
import { cliErrors } from "./errors.ts";

const SERIAL = /^[0-9a-f]{1,42}$/;
const GATEWAY = /^gw-[a-z0-9-]{1,60}$/;
const SENSOR_ID = /^[0-9a-f]{18}$/;
const HARDWARE_ID = /^(?:[0-9a-f]{2}){4,32}$/;

/**
 * A serial number as people copy it: in either case, with leading zeros, with the colons of `openssl x509 -text`.
 * @returns lower-case hex without leading zeros
 * @throws CLI_USAGE
 */
export function serialNumber(text: string | undefined, path = "serial"): string {
  const hex = (text ?? "").trim().toLowerCase().replaceAll(":", "");
  if (SERIAL.test(hex)) return normalSerial(hex);
  throw refused(path, text, "a serial number of 1 to 42 hex digits, as `trustkern certs list` prints it");
}

/**
 * Name of a gateway.
 * @throws CLI_USAGE
 */
export function gatewayName(text: string | undefined): string {
  if (text !== undefined && GATEWAY.test(text)) return text;
  throw refused("gateway", text, "gw- and 1 to 60 of a-z 0-9 -");
}

/**
 * What a made device is known by, in either case.
 * @returns lower-case hex
 * @throws CLI_USAGE
 */
export function hardwareId(text: string | undefined): string {
  const hex = (text ?? "").toLowerCase();
  if (HARDWARE_ID.test(hex)) return hex;
  throw refused("hardware-id", text, "4 to 32 bytes in hex, as `trustkern device list` prints them");
}

/**
 * A sensor as allowlists and the database name it, in either case.
 * @returns lower-case hex
 * @throws CLI_USAGE
 */
export function sensorId(text: string | undefined): string {
  const hex = (text ?? "").toLowerCase();
  if (SENSOR_ID.test(hex)) return hex;
  throw refused("id", text, "9 bytes in hex, as the allowlist and the table of telemetry have them");
}

function refused(path: string, text: string | undefined, accepted: string): Error {
  return cliErrors.error("CLI_USAGE", `${path} is "${text ?? ""}"; accepted: ${accepted}`, {
    path,
    fix: `give ${accepted}`,
  });
}
