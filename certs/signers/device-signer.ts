import { createHash, createPublicKey, verify, webcrypto } from "node:crypto";
import { signersErrors } from "./errors.ts";
import { COORDINATE_BYTES, CURVE_HASH, type Curve, type KeySigner } from "./signer.ts";

/** A key on a device: what a device has to say and do to be a {@link KeySigner}. */
export interface DeviceKey {
  readonly publicKeySpki: Buffer;
  readonly curve: Curve;
  readonly where: string;
  /**
   * ECDSA over a digest; a device that wants to hash by itself is told what the digest is of.
   * @returns `r || s`, each padded to the size of a coordinate (IEEE P1363)
   */
  readonly signDigest: (digest: Buffer, data: Buffer) => Promise<Buffer>;
  readonly close: () => Promise<void>;
}

/**
 * Makes a signer of a device's key. Every signature is verified before it is handed on: a faulty device gives away its key
 * with a wrong signature.
 * @throws SIGNER_CURVE_UNSUPPORTED when the public key is not one of that curve
 */
export async function deviceSigner(key: DeviceKey): Promise<KeySigner> {
  const { publicKeySpki, curve, where } = key;
  const algorithm = { name: "ECDSA", namedCurve: curve } as const;
  const publicKey = await importPublic(publicKeySpki, algorithm, where);
  const signingKey: webcrypto.CryptoKey = Object.freeze({
    type: "private",
    algorithm,
    extractable: false,
    usages: ["sign"] as webcrypto.KeyUsage[],
  });
  const sign = async (data: ArrayBuffer | NodeJS.ArrayBufferView): Promise<ArrayBuffer> => {
    const bytes = ArrayBuffer.isView(data)
      ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      : Buffer.from(data);
    const signature = await key.signDigest(createHash(CURVE_HASH[curve]).update(bytes).digest(), bytes);
    assertSigned(key, bytes, signature);
    return Uint8Array.from(signature).buffer;
  };
  return {
    publicKeySpki,
    publicKey,
    curve,
    signingKey,
    crypto: cryptoWith(signingKey, curve, sign),
    where,
    close: key.close,
  };
}

type Sign = (data: ArrayBuffer | NodeJS.ArrayBufferView) => Promise<ArrayBuffer>;

function cryptoWith(signingKey: webcrypto.CryptoKey, curve: Curve, sign: Sign): webcrypto.Crypto {
  const signOrPass: webcrypto.SubtleCrypto["sign"] = (algorithm, key, data) => {
    if (key !== signingKey) return webcrypto.subtle.sign(algorithm, key, data);
    const { hash } = algorithm as webcrypto.EcdsaParams;
    const name = typeof hash === "string" ? hash : hash?.name;
    if (name === CURVE_HASH[curve]) return sign(data);
    const message = `${curve} signs with ${CURVE_HASH[curve]}, and ${String(name)} was asked for`;
    return Promise.reject(signersErrors.error("SIGNER_CURVE_UNSUPPORTED", message));
  };
  const subtle = overriding(webcrypto.subtle, { sign: signOrPass });
  return overriding(webcrypto as webcrypto.Crypto, { subtle });
}

/** `target` with some members replaced; the others are bound, because WebCrypto's look at what they are called on. */
function overriding<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get: (of, member) => {
      if (Object.hasOwn(replaced, member)) return Reflect.get(replaced, member);
      const value = Reflect.get(of, member, of);
      return typeof value === "function" ? value.bind(of) : value;
    },
  });
}

async function importPublic(
  spki: Buffer,
  algorithm: webcrypto.EcKeyImportParams,
  where: string,
): Promise<webcrypto.CryptoKey> {
  try {
    return await webcrypto.subtle.importKey("spki", Uint8Array.from(spki), algorithm, true, ["verify"]);
  } catch {
    throw signersErrors.error("SIGNER_CURVE_UNSUPPORTED", `the key is not on ${algorithm.namedCurve}`, { path: where });
  }
}

function assertSigned({ publicKeySpki, curve, where }: DeviceKey, bytes: Buffer, signature: Buffer): void {
  const key = createPublicKey({ key: publicKeySpki, format: "der", type: "spki" });
  const sized = signature.length === 2 * COORDINATE_BYTES[curve];
  if (sized && verify(CURVE_HASH[curve], bytes, { key, dsaEncoding: "ieee-p1363" }, signature)) return;
  throw signersErrors.error("SIGNER_FAILED", "the device's signature does not verify with its public key", {
    path: where,
  });
}
