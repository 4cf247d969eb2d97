import type { PeerCertificate } from "node:tls";
import { expect, it } from "vitest";
import { identityProblem } from "./server-identity.ts";

const BROKER_NAME = "custody-broker.acme.trustkern.internal";

const certificate = (subject: object, subjectaltname = `DNS:${BROKER_NAME}`) =>
  ({ subject, subjectaltname }) as unknown as PeerCertificate;
const service = { CN: "svc-custody-broker", OU: "services" };

it("takes a service that carries the name", () => {
  expect(identityProblem(BROKER_NAME, certificate(service))).toBeUndefined();
});

it.each([
  ["another name", "DNS:backend.acme.trustkern.internal"],
  ["another tenant's", "DNS:custody-broker.other.trustkern.internal"],
  ["a name that begins alike", `DNS:${BROKER_NAME}.example`],
  ["the name of an address", "IP Address:127.0.0.1"],
  ["no name", ""],
])("refuses a certificate of %s", (_, names) => {
  expect(identityProblem(BROKER_NAME, certificate(service, names))).toMatchObject({ code: "DENIED_NAME_NOT_ALLOWED" });
});

it.each([
  ["a gateway", { CN: "gw-01", OU: "gateways" }],
  ["an operator", { CN: "op-admin", OU: "operators" }],
  ["a gateway's name in the unit of services", { CN: "gw-01", OU: "services" }],
  ["a service's name in the unit of gateways", { CN: "svc-custody-broker", OU: "gateways" }],
  ["two common names", { CN: ["svc-custody-broker", "gw-01"], OU: "services" }],
  ["two units", { CN: "svc-custody-broker", OU: ["services", "gateways"] }],
  ["no unit", { CN: "svc-custody-broker" }],
  ["nobody", {}],
])("refuses %s, though the name is right", (_, subject) => {
  expect(identityProblem(BROKER_NAME, certificate(subject))).toMatchObject({ code: "DENIED_WRONG_CLASS" });
});
