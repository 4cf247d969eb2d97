import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { stableJson } from "../shared/stable-json.ts";
import { dsseSign, dsseVerify } from "./dsse.ts";
import { protocolErrors } from "./errors.ts";
import type { Signer } from "./signature.ts";

const TYPE = "application/vnd.trustkern.gateway-configuration+json";
const MAX_ENTRIES = 16;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const schema = z.strictObject({
  schema: z.literal("trustkern.gateway-configuration/1"),
  audience: z.templateLiteral(["gateway/", z.string().regex(/^gw-[a-z0-9-]{1,60}$/)]),
  version: z.int().min(1),
  issued_at: z.iso.datetime(),
  anchors: z
    .array(z.string().regex(/^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/))
    .max(MAX_ENTRIES),
  broker: z.strictObject({ pins: z.array(sha256).max(MAX_ENTRIES) }),
  gateway_authorities: z.array(sha256).max(MAX_ENTRIES),
});

/** What a gateway is to trust, from the backend. */
export interface GatewayConfiguration {
  readonly audience: `gateway/${string}`;
  /** Grows with every change, from 1. */
  readonly version: number;
  /** Milliseconds since the Unix epoch. */
  readonly issuedAtMs: number;
  /** Roots, PEM; empty leaves the gateway to those that it has. */
  readonly anchors: readonly string[];
  /** SHA-256 of the broker's keys (SPKI) in lower-case hex, the present one and the next; empty as above. */
  readonly brokerPins: readonly string[];
  /**
   * SHA-256 of the authorities' certificates under which a gateway's leaf may stay, lower-case hex: one under another is to be
   * renewed now. Empty says nothing of leaves.
   */
  readonly gatewayAuthorities: readonly string[];
}

/** Signs a configuration: a DSSE envelope in JSON. */
export function createGatewayConfiguration(configuration: GatewayConfiguration, signer: Signer): Promise<string> {
  const { audience, version, issuedAtMs, anchors, brokerPins, gatewayAuthorities } = configuration;
  const document = {
    schema: "trustkern.gateway-configuration/1",
    audience,
    version,
    issued_at: new Date(issuedAtMs).toISOString(),
    anchors,
    broker: { pins: brokerPins },
    gateway_authorities: gatewayAuthorities,
  };
  return dsseSign(TYPE, Buffer.from(stableJson(document)), signer);
}

/** What a gateway expects of its configuration. */
export interface GatewayConfigurationExpectation {
  /** The DSSE envelope in JSON. */
  readonly dsse: string;
  readonly backendKey: KeyObject;
  readonly audience: `gateway/${string}`;
  /** Version of the copy held, 0 for none. */
  readonly currentVersion: number;
}

/**
 * Verifies a signed configuration. A member too many is refused: the schema's number changes with its members.
 * @throws DSSE_MALFORMED, DSSE_BAD_SIGNATURE
 * @throws GATEWAY_CONFIGURATION_MALFORMED, GATEWAY_CONFIGURATION_AUDIENCE, GATEWAY_CONFIGURATION_ROLLBACK
 */
export function verifyGatewayConfiguration(expected: GatewayConfigurationExpectation): GatewayConfiguration {
  const { audience, version, issued_at, anchors, broker, gateway_authorities } = parse(
    dsseVerify(expected.dsse, TYPE, expected.backendKey).toString("utf8"),
  );
  if (audience !== expected.audience) {
    const message = `the configuration is for "${audience}", this is "${expected.audience}"`;
    throw protocolErrors.error("GATEWAY_CONFIGURATION_AUDIENCE", message, { path: "audience" });
  }
  if (version < expected.currentVersion) {
    const message = `version ${version} is lower than ${expected.currentVersion}, which is held`;
    throw protocolErrors.error("GATEWAY_CONFIGURATION_ROLLBACK", message, { path: "version" });
  }
  const issuedAtMs = Date.parse(issued_at);
  const lists = { anchors, brokerPins: broker.pins, gatewayAuthorities: gateway_authorities };
  return { audience: expected.audience, version, issuedAtMs, ...lists };
}

function parse(json: string): z.infer<typeof schema> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw protocolErrors.error("GATEWAY_CONFIGURATION_MALFORMED", "the configuration is not JSON", { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `"${path.join(".") || "."}" ${message}`).join("; ");
  throw protocolErrors.error("GATEWAY_CONFIGURATION_MALFORMED", mistakes);
}
