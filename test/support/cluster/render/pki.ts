import { createPublicKey, randomBytes, webcrypto } from "node:crypto";
import { generateKeyPair, P256, privateKeyPem, signatureAlgorithm } from "../../../../certs/keys.ts";
import { x509 } from "../../../../certs/x509.ts";

const DAY_MS = 86_400_000;
/** No cluster for tests gets older. */
const DAYS = 30;
/** For clocks that were set back meanwhile. */
const EARLY_MS = 3_600_000;

/** A certificate and its key, PEM. `keyPem` is a secret. */
export interface Pair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Whom a certificate names: to the API server, `CN` is a user and `O` is its group. */
export interface Subject {
  readonly commonName: string;
  readonly group?: string;
  /** Names and addresses of a server. @default none: it is a client's */
  readonly server?: { readonly dns: readonly string[]; readonly ip: readonly string[] };
}

/** The authority of one cluster, which is made with it and ends with it. */
export class ClusterAuthority {
  readonly certPem: string;
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #now: Date;

  private constructor(certPem: string, name: string, keys: webcrypto.CryptoKeyPair, now: Date) {
    this.certPem = certPem;
    this.#name = name;
    this.#keys = keys;
    this.#now = now;
  }

  static async create(now: Date): Promise<ClusterAuthority> {
    const keys = await generateKeyPair();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        ...common(now),
        name: "CN=cluster",
        keys,
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      webcrypto,
    );
    return new ClusterAuthority(`${certificate.toString("pem")}\n`, "CN=cluster", keys, now);
  }

  async issue({ commonName, group, server }: Subject): Promise<Pair> {
    const keys = await generateKeyPair();
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
    const extensions: x509.Extension[] = [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([server === undefined ? clientAuth : serverAuth]),
    ];
    if (server !== undefined)
      extensions.push(
        new x509.SubjectAlternativeNameExtension([
          ...server.dns.map((value) => ({ type: "dns", value }) as const),
          ...server.ip.map((value) => ({ type: "ip", value }) as const),
        ]),
      );
    const certificate = await x509.X509CertificateGenerator.create(
      {
        ...common(this.#now),
        subject: [...(group === undefined ? [] : [{ O: [group] }]), { CN: [commonName] }],
        issuer: this.#name,
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        extensions,
      },
      webcrypto,
    );
    return { certPem: `${certificate.toString("pem")}\n`, keyPem: await privateKeyPem(keys.privateKey) };
  }
}

/** A key that tokens of service accounts are signed with, and its public half, PEM. `keyPem` is a secret. */
export async function tokenKeys(): Promise<{ readonly keyPem: string; readonly publicPem: string }> {
  const keyPem = await privateKeyPem((await generateKeyPair()).privateKey);
  return { keyPem, publicPem: createPublicKey(keyPem).export({ format: "pem", type: "spki" }).toString() };
}

function common(now: Date) {
  return {
    serialNumber: randomBytes(15).toString("hex"),
    notBefore: new Date(now.getTime() - EARLY_MS),
    notAfter: new Date(now.getTime() + DAYS * DAY_MS),
    signingAlgorithm: signatureAlgorithm(P256),
  };
}
