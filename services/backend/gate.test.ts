import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import type { SupportAccess } from "../../certs/support.ts";
import { createGate } from "./gate.ts";

const from = "2027-03-01T08:00:00Z";
const until = "2027-03-02T08:00:00Z";
const granted = { access: "granted", from, until } as const;
const DURING = Date.parse("2027-03-01T12:00:00Z");

/** Whether a certificate that holds gets past, at that time. */
function admit(name: string, support: SupportAccess, nowMs: number): void {
  const nothing = { isRevoked: () => false };
  const refuse = (): never => {
    throw new Error("no token is asked for");
  };
  const gate = createGate({
    tenant: "acme",
    support,
    tokens: { verify: refuse, list: () => [] },
    enrolmentTokens: { verify: refuse },
    lockOut: { lockedUntil: () => null, failed: () => null, forgive: () => undefined },
    certificates: { ...nothing, seen: () => undefined },
    gateways: { ...nothing, nameOfDevice: () => undefined, onStray: () => undefined },
    crls: { names: () => false },
    events: { report: () => undefined },
    now: () => nowMs,
  } as Parameters<typeof createGate>[0]);
  const certificate = {
    subject: { CN: name, OU: "operators", O: "acme" },
    issuer: { CN: "operators" },
    serialNumber: "01",
  };
  const socket = { authorized: true, getPeerCertificate: () => certificate };
  gate.admit({ socket, method: "GET", headers: {} } as unknown as IncomingMessage, "/v1/devices");
}

describe("the gate", () => {
  const refused = expect.objectContaining({ code: "DENIED_SUPPORT_OFF" });

  it.each([
    ["where access is off", { access: "off" }, DURING],
    ["before access begins", granted, Date.parse(from) - 1],
    ["from the millisecond in which access ends", granted, Date.parse(until)],
  ] as const)("lets none of the vendor's staff in %s, whatever their certificate says", (_, support, nowMs) => {
    expect(() => admit("op-support-ada", support, nowMs)).toThrow(refused);
    expect(() => admit("op-admin", support, nowMs)).not.toThrow();
  });

  it.each([
    ["while access is granted", granted, DURING],
    ["where they are operators", { access: "operators" }, DURING],
  ] as const)("lets them in %s", (_, support, nowMs) => {
    expect(() => admit("op-support-ada", support, nowMs)).not.toThrow();
  });
});
