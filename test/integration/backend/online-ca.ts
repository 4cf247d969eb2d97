import { X509Certificate } from "node:crypto";
import type { StoredAuthority } from "../../../certs/authority.ts";
import { issueCrl, type Revocation } from "../../../certs/crl.ts";
import { parseCsr } from "../../../certs/csr.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { generateKeyPair, P256, privateKeyPem } from "../../../certs/keys.ts";
import { leafExtensions } from "../../../certs/leaf.ts";
import { classDomain, issuingServerName } from "../../../certs/names.ts";
import { stepCaLeafExtensions } from "../../../certs/step-ca/leaf-extensions.ts";
import { leafSubject } from "../../../certs/subject.ts";
import { x509 } from "../../../certs/x509.ts";
import type { IssuingCa } from "../../../services/backend/enrolment/issuing.ts";
import { fleetErrors } from "../../../services/backend/fleet/errors.ts";
import type { Reply, TestBackend } from "./in-process.ts";

const CLIENT = x509.ExtendedKeyUsage.clientAuth;
const DAY = 86_400_000;

/** What step-ca asks about a request. */
export interface Asked {
  readonly csrPem: string;
  /** The provisioner, whose webhook is called as it is. */
  readonly provisioner: string;
  /** Certificate of the device that vouches. @default none */
  readonly devicePem?: string;
  readonly timestamp?: string;
}

/** An issuer of gateways' certificates that behaves as step-ca does towards the backend: it asks, then signs what it is told. */
export class OnlineCa implements IssuingCa {
  readonly authority: StoredAuthority;
  readonly revoked: Revocation[] = [];
  /** Its answer to a signing request gets lost after the backend allowed it. */
  losesAnswers = false;
  /** Happens after the backend allowed a request, and before it is signed. */
  meanwhile: () => Promise<unknown> = async () => undefined;
  backend!: TestBackend;
  #number = 0n;

  constructor(authority: StoredAuthority) {
    this.authority = authority;
  }

  async sign(csrPem: string, name: string): Promise<string> {
    const { body } = await this.ask({ csrPem, provisioner: "backend" });
    if (!body.allow) throw fleetErrors.error("ISSUING_FAILED", `${body.error.message} (${body.error.code})`);
    if (this.losesAnswers) throw fleetErrors.error("ISSUING_FAILED", "the connection broke");
    await this.meanwhile();
    return this.certify(csrPem, name, body.data.serial);
  }

  async revoke(serial: string): Promise<void> {
    if (this.revoked.some((each) => each.serial === serial)) return;
    this.revoked.push({ serial, at: new Date(), reason: "unspecified" });
    this.#number += 1n;
  }

  async crl(): Promise<string> {
    const request = { number: this.#number, revoked: this.revoked, now: new Date() };
    return (await issueCrl(this.authority, request)).pem;
  }

  /** Asks the backend's webhook with the certificate of its server. */
  async ask({ csrPem, provisioner, devicePem, timestamp = new Date().toISOString() }: Asked): Promise<Reply> {
    const body = {
      timestamp,
      x509CertificateRequest: { raw: csrPem.replaceAll(/-----[^-]+-----|\s/g, ""), dnsNames: null },
      ...(devicePem && { x5cCertificate: { raw: new X509Certificate(devicePem).raw.toString("base64") } }),
    };
    const headers = { "x-smallstep-webhook-id": provisioner };
    return this.backend.call(await this.server(), "POST", "/v1/enrolment/gateways", { body, headers });
  }

  /** The certificate of step-ca's own server, or one with another name under the same authority. */
  async server(name = issuingServerName("gateways", this.authority.tenant)): Promise<CertifiedKey> {
    const keys = await generateKeyPair();
    const subject = new x509.Name([{ CN: [name] }]);
    const certPem = await this.#issue(subject, keys.publicKey, "7f01", [
      ...leafExtensions([x509.ExtendedKeyUsage.serverAuth, CLIENT]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
    ]);
    return { certPem, keyPem: await privateKeyPem(keys.privateKey) };
  }

  async certify(csrPem: string, name: string, serial: string): Promise<string> {
    const { tenant } = this.authority;
    const { publicKeySpki } = await parseCsr(csrPem);
    const value = `${name}.${classDomain("gateways", tenant)}`;
    return this.#issue(leafSubject("gateways", tenant, name), new x509.PublicKey(publicKeySpki), serial, [
      ...leafExtensions([CLIENT]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value }]),
      ...stepCaLeafExtensions("gateways", tenant),
    ]);
  }

  async #issue(
    subject: x509.Name,
    publicKey: x509.PublicKeyType,
    serialNumber: string,
    extensions: readonly x509.Extension[],
  ): Promise<string> {
    const { certificate, signingKey, certPem } = this.authority;
    const made = await x509.X509CertificateGenerator.create({
      ...{ serialNumber, subject, issuer: certificate.subjectName, publicKey, signingKey },
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 30 * DAY),
      signingAlgorithm: { ...P256, hash: "SHA-256" },
      extensions: [
        ...extensions,
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey),
      ],
    });
    return `${made.toString("pem")}\n${certPem}`;
  }
}
