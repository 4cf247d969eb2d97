import { z } from "zod";
import { TrustKernError } from "../shared/errors.ts";
import { stableJson } from "../shared/stable-json.ts";
import { dsseSign, dsseVerify } from "./dsse.ts";
import { bytesOfHex } from "./hex.ts";
import { keyIdOf } from "./hpke.ts";
import { provisioningErrors } from "./provisioning-errors.ts";
import { importP256Point, type Signer } from "./signature.ts";

/** DSSE payload type of a provisioning bundle. */
export const PROVISIONING_TYPE = "application/vnd.trustkern.provisioning+json";

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${bytes} bytes in hex`);

/** An HPKE public key that telemetry may be encrypted to. */
export const recipientSchema = z
  .strictObject({ key_id: hex(8), public_key: hex(32), not_before: z.iso.datetime() })
  .refine(({ key_id, public_key }) => key_id === keyIdOf(bytesOfHex(public_key)).toString("hex"), {
    message: "must be the first 8 bytes of SHA-256 of public_key",
    path: ["key_id"],
  });

/** A Thread active operational data set (Thread 1.3, section 8.10), without what a sensor does not need to join. */
export const networkSchema = z.strictObject({
  network_name: z
    .string()
    .min(1)
    .refine((name) => Buffer.byteLength(name) <= 16, "must be at most 16 bytes in UTF-8"),
  channel: z.int().min(11).max(26),
  pan_id: hex(2),
  ext_pan_id: hex(8),
  network_key: hex(16),
  mesh_local_prefix: z.string().regex(/^fd[0-9a-f:]{2,36}::\/64$/, "must be a /64 in fd00::/8"),
});

const bundleSchema = z.strictObject({
  schema: z.literal("trustkern.provisioning/1"),
  bundle_id: hex(16),
  sensor_id: hex(9),
  public_key: hex(65),
  issued_at: z.iso.datetime(),
  backend_key: hex(65),
  network: networkSchema,
  gateway: z.strictObject({ coap: z.string().regex(/^coap:\/\/\S+:\d{1,5}$/, "must be coap://host:port") }),
  recipient: z.array(recipientSchema).min(1).max(16),
  update_counter: z.int().min(0),
});

/** What a sensor learns at its provisioning; docs/spec/provisioning.md has the meaning of each member. */
export type ProvisioningBundle = z.infer<typeof bundleSchema>;

/** Signs a bundle: a DSSE envelope in JSON. It holds the network key, so it is never logged. */
export function createProvisioningBundle(bundle: ProvisioningBundle, signer: Signer): Promise<string> {
  return dsseSign(PROVISIONING_TYPE, Buffer.from(stableJson(bundle)), signer);
}

/** What a sensor expects of its bundle. */
export interface BundleExpectation {
  /** The DSSE envelope in JSON. */
  readonly dsse: string;
  /** 9 bytes in lower-case hex. */
  readonly sensorId: string;
  /** Uncompressed P-256 point in lower-case hex. */
  readonly publicKey: string;
  /**
   * The backend's key, for a sensor that was made for one backend alone; uncompressed P-256 point in lower-case hex.
   * @default the key that the bundle itself names (trust on first use)
   */
  readonly backendKey?: string | undefined;
}

/**
 * Verifies a bundle as a sensor does.
 * @throws PROVISIONING_BUNDLE_INVALID for another form, and for a signature that is not of the key that the bundle names
 * @throws PROVISIONING_BUNDLE_OTHER_BACKEND
 * @throws PROVISIONING_BUNDLE_OTHER_SENSOR
 */
export function verifyProvisioningBundle(expected: BundleExpectation): ProvisioningBundle {
  const { dsse, sensorId, publicKey, backendKey } = expected;
  const bundle = parseSigned(dsse);
  if (backendKey !== undefined && bundle.backend_key !== backendKey)
    throw refuse("PROVISIONING_BUNDLE_OTHER_BACKEND", "the bundle is signed by another backend", "backend_key");
  if (bundle.sensor_id !== sensorId)
    throw refuse("PROVISIONING_BUNDLE_OTHER_SENSOR", `the bundle is for ${bundle.sensor_id}`, "sensor_id");
  if (bundle.public_key !== publicKey)
    throw refuse("PROVISIONING_BUNDLE_OTHER_SENSOR", "the bundle names another public key", "public_key");
  return bundle;
}

/** The key that verifies stands in the payload, so the payload is looked at once before its signature, for that member alone. */
function parseSigned(dsse: string): ProvisioningBundle {
  try {
    const { payload } = z.object({ payload: z.string() }).parse(JSON.parse(dsse));
    const named = z.object({ backend_key: hex(65) }).parse(JSON.parse(Buffer.from(payload, "base64").toString("utf8")));
    const signed = dsseVerify(dsse, PROVISIONING_TYPE, importP256Point(bytesOfHex(named.backend_key)));
    return bundleSchema.parse(JSON.parse(signed.toString("utf8")));
  } catch (thrown) {
    throw refuse("PROVISIONING_BUNDLE_INVALID", `not a provisioning bundle: ${reasonOf(thrown)}`, "bundle");
  }
}

/** A JSON parser's own words quote the text, which holds the network key; so they are not passed on. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof z.ZodError)
    return thrown.issues.map(({ path, message }) => `"${path.join(".")}" ${message}`).join("; ");
  return thrown instanceof TrustKernError ? thrown.message : "not JSON";
}

function refuse(code: keyof typeof provisioningErrors.entries, message: string, path: string) {
  return provisioningErrors.error(code, message, { path });
}
