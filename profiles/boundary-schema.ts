import { z } from "zod";
import {
  EGRESS_MODES,
  EGRESS_PURPOSES,
  SUPPORT_ACCESS,
  SUPPORT_GUESTS,
  VENDOR_TELEMETRY,
} from "../model/deployment.ts";
import { text, whole } from "./fields.ts";

const host = z
  .strictObject({
    host: text(
      /^(?!.*\.\.)(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})$/,
      "DNS name or IP address, in lower case and without a port",
    ),
    port: whole(1, 65_535, "port"),
    protocol: z.enum(["tcp", "udp"]).describe("tcp or udp"),
    purpose: z.enum(EGRESS_PURPOSES).describe(`what it is reached for: ${EGRESS_PURPOSES.join(", ")}`),
    region: text(/^[a-z0-9][a-z0-9-]{0,62}$/, "region of its provider, such as eu-central-1").exactOptional(),
  })
  .describe("a map of host, port, protocol, purpose, region");

const distinct = (hosts: readonly z.output<typeof host>[]) =>
  new Set(hosts.map((each) => `${each.protocol} ${each.host} ${each.port}`)).size === hosts.length;

/** The form of `egress` in `trustkern.yaml`: what may leave the hosting. */
export const egressSchema = z
  .strictObject({
    mode: z
      .enum(EGRESS_MODES)
      .describe(`what may leave: ${EGRESS_MODES.join(", ")}`)
      .exactOptional(),
    allow: z
      .array(host)
      .max(64)
      .refine(distinct)
      .describe("the hosts that may be reached, with mode restricted: a list of at most 64 different ones")
      .exactOptional(),
  })
  .describe("what may leave the hosting: a map of mode, allow");

const instant = (what: string) =>
  z.iso.datetime().describe(`${what}: a time in UTC, such as 2027-03-01T08:00:00Z`).exactOptional();

/** The form of `support` in `trustkern.yaml`: whether staff of the vendor get in. */
export const supportSchema = z
  .strictObject({
    access: z
      .enum(SUPPORT_ACCESS)
      .describe(`whether the vendor's staff get in: ${SUPPORT_ACCESS.join(", ")}`)
      .exactOptional(),
    to: z
      .enum(SUPPORT_GUESTS)
      .describe(`whose staff, with access granted: ${SUPPORT_GUESTS.join(", ")}`)
      .exactOptional(),
    from: instant("when access begins, with access granted"),
    until: instant("when access ends, with access granted"),
    reason: text(
      /^[\x20-\x7e\u00a1-\u024f]{10,200}$/,
      "why, which evidence shows: one line of 10 to 200 characters, with access granted",
    ).exactOptional(),
  })
  .describe("whether the vendor's staff get in: a map of access, and with granted of to, from, until, reason");

/** The form of `telemetry` in `trustkern.yaml`: what the vendor gets of the deployment's metrics. */
export const telemetrySchema = z
  .strictObject({
    vendor: z
      .enum(VENDOR_TELEMETRY)
      .describe(`what the vendor gets: ${VENDOR_TELEMETRY.join(", ")}`)
      .exactOptional(),
  })
  .describe("what the vendor gets of the metrics: a map of vendor");
