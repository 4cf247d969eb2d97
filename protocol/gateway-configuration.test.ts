import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect, it } from "vitest";
import { dsseSign } from "./dsse.ts";
import {
  createGatewayConfiguration,
  type GatewayConfiguration,
  verifyGatewayConfiguration,
} from "./gateway-configuration.ts";
import { p256Signer } from "./signature.ts";

const TYPE = "application/vnd.trustkern.gateway-configuration+json";
const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signer = p256Signer(key.privateKey);
const anchor = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const document: GatewayConfiguration = {
  audience: "gateway/gw-01",
  version: 3,
  issuedAtMs: Date.UTC(2026, 0, 1),
  anchors: [anchor],
  brokerPins: ["0a".repeat(32)],
  gatewayAuthorities: ["0b".repeat(32)],
};
const verify = (dsse: string, changes: { backendKey?: KeyObject; currentVersion?: number } = {}) =>
  verifyGatewayConfiguration({
    dsse,
    backendKey: key.publicKey,
    audience: "gateway/gw-01",
    currentVersion: 3,
    ...changes,
  });
const refused = (code: string) => expect.objectContaining({ code });

it("gives back what was signed, the same version again, and empty lists", async () => {
  expect(verify(await createGatewayConfiguration(document, signer))).toEqual(document);
  const empty = { ...document, anchors: [], brokerPins: [], gatewayAuthorities: [] };
  expect(verify(await createGatewayConfiguration(empty, signer), { currentVersion: 0 })).toEqual(empty);
});

it("refuses another key, another gateway and an older version", async () => {
  const dsse = await createGatewayConfiguration(document, signer);
  expect(() => verify(dsse, { backendKey: other.publicKey })).toThrow(refused("DSSE_BAD_SIGNATURE"));
  expect(() => verify(dsse, { currentVersion: 4 })).toThrow(refused("GATEWAY_CONFIGURATION_ROLLBACK"));
  const foreign = await createGatewayConfiguration({ ...document, audience: "gateway/gw-02" }, signer);
  expect(() => verify(foreign)).toThrow(refused("GATEWAY_CONFIGURATION_AUDIENCE"));
});

const good = {
  schema: "trustkern.gateway-configuration/1",
  audience: "gateway/gw-01",
  version: 3,
  issued_at: "2026-01-01T00:00:00.000Z",
  anchors: [anchor],
  broker: { pins: ["0a".repeat(32)] },
  gateway_authorities: ["0b".repeat(32)],
};
it.each([
  ["another schema", { schema: "trustkern.gateway-configuration/2" }],
  ["a member too many", { more: 1 }],
  ["a member too few", { broker: undefined }],
  ["no authorities", { gateway_authorities: undefined }],
  ["an authority that is no digest", { gateway_authorities: ["0B".repeat(32)] }],
  ["more authorities than anybody has", { gateway_authorities: Array.from({ length: 17 }, () => "0b".repeat(32)) }],
  ["a version of 0", { version: 0 }],
  ["a version that is a text", { version: "3" }],
  ["an audience that is no gateway", { audience: "collector" }],
  ["a time that is none", { issued_at: "yesterday" }],
  ["an anchor that is none", { anchors: ["root"] }],
  ["a key as an anchor", { anchors: ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] }],
  ["two anchors in one", { anchors: [anchor + anchor] }],
  ["too many anchors", { anchors: Array.from({ length: 17 }, () => anchor) }],
  ["a pin in upper case", { broker: { pins: ["0A".repeat(32)] } }],
  ["a short pin", { broker: { pins: ["0a".repeat(31)] } }],
  ["a member too many beside the pins", { broker: { pins: [], host: "evil" } }],
])("refuses %s", async (_, changes) => {
  const dsse = await dsseSign(TYPE, Buffer.from(JSON.stringify({ ...good, ...changes })), signer);
  expect(() => verify(dsse)).toThrow(refused("GATEWAY_CONFIGURATION_MALFORMED"));
});

it("refuses what is not JSON, and another payload type", async () => {
  expect(() => verify("{")).toThrow(refused("DSSE_MALFORMED"));
  const text = await dsseSign(TYPE, Buffer.from("{"), signer);
  expect(() => verify(text)).toThrow(refused("GATEWAY_CONFIGURATION_MALFORMED"));
  const type = await dsseSign("application/json", Buffer.from(JSON.stringify(good)), signer);
  expect(() => verify(type)).toThrow(refused("DSSE_MALFORMED"));
});
