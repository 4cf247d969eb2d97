import { frame } from "./wire-frames.ts";

/** How far an error goes: `ERROR` ends the statement, `FATAL` the connection. */
export type Severity = "ERROR" | "FATAL";

/** Parameters that a client is told once it is let in (protocol 3.0, section 53.2.1). */
const REPORTED = {
  server_version: "17.5",
  server_encoding: "UTF8",
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  integer_datetimes: "on",
  standard_conforming_strings: "on",
  is_superuser: "off",
  in_hot_standby: "off",
  default_transaction_read_only: "off",
} as const;

/** An ErrorResponse with an SQLSTATE of five characters. */
export function errorResponse(severity: Severity, sqlState: string, message: string): Buffer {
  return frame("E", `S${severity}\0V${severity}\0C${sqlState}\0M${message}\0\0`);
}

/** ReadyForQuery outside a transaction. */
export function readyForQuery(): Buffer {
  return frame("Z", "I");
}

/** An Authentication request: 0 ok, 10 SASL, 11 SASL continue, 12 SASL final. */
export function authentication(code: 0 | 10 | 11 | 12, data: Uint8Array | string = ""): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(code);
  return frame("R", Buffer.concat([head, typeof data === "string" ? Buffer.from(data) : data]));
}

/** All that a client gets between its authentication and its first question. */
export function welcome(user: string, applicationName: string, processId: number): Buffer {
  const parameters = { ...REPORTED, session_authorization: user, application_name: applicationName };
  const key = Buffer.alloc(8);
  key.writeUInt32BE(processId);
  return Buffer.concat([
    authentication(0),
    ...Object.entries(parameters).map(([name, value]) => frame("S", `${name}\0${value}\0`)),
    // The secret of a CancelRequest is 0 for all: nothing can be cancelled.
    frame("K", key),
    readyForQuery(),
  ]);
}

/** CopyInResponse for a text or binary COPY whose columns are not told. */
export function copyInResponse(binary: boolean): Buffer {
  return frame("G", Buffer.from([binary ? 1 : 0, 0, 0]));
}
