import { generateKeyPairSync } from "node:crypto";
import type { Authority } from "../../../certs/authority.ts";
import { issueDeviceLeaf } from "../../../certs/classes/leaf-device.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { generateKeyPair, P256, privateKeyPem } from "../../../certs/keys.ts";
import type { OnlineClass } from "../../../certs/names.ts";
import { signCsr } from "../../../certs/step-ca/client.ts";
import { PROVISIONERS } from "../../../certs/step-ca/names.ts";
import { jwkToken, x5cToken } from "../../../certs/step-ca/tokens.ts";
import { x509 } from "../../../certs/x509.ts";
import { openOperatorsKey } from "../../../stacks/host/operators-key.ts";
import { PASSPHRASE, type StepCaHarness } from "./harness.ts";

/** A request for a certificate, and the key that signed it. */
export interface Request {
  readonly csrPem: string;
  readonly keyPem: string;
}

/** What a request has beside one common name. */
export interface RequestChanges {
  /** The whole subject. @default the common name alone */
  readonly subject?: ConstructorParameters<typeof x509.Name>[0];
  /** Alternative names. @default none */
  readonly dnsNames?: readonly string[];
}

/** A new P-256 key, and a request for its certificate (RFC 2986). */
export async function requestFor(name: string, changes: RequestChanges = {}): Promise<Request> {
  const keys = await generateKeyPair();
  const { subject = [{ CN: [name] }], dnsNames = [] } = changes;
  const names = dnsNames.map((value) => ({ type: "dns" as const, value }));
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name(subject),
    keys,
    signingAlgorithm: { ...P256, hash: "SHA-256" },
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
  });
  return { csrPem: `${csr.toString("pem")}\n`, keyPem: await privateKeyPem(keys.privateKey) };
}

/** A made device: the key of its root of trust and its maker's certificate. */
export async function device(maker: Authority, name = "sensirio", now = new Date()): Promise<CertifiedKey> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKeySpki = publicKey.export({ format: "der", type: "spki" });
  const wanted = { hardwareId: "0a1b2c3d", maker: name, model: "TK 100", now, key: { publicKeySpki } };
  const { certPem } = await issueDeviceLeaf(maker, wanted);
  return { certPem, keyPem: privateKey.export({ format: "pem", type: "pkcs8" }).toString() };
}

/** What a device's enrolment differs in. */
export interface EnrolmentChanges {
  readonly by?: CertifiedKey;
  readonly request?: Request;
  /** The token's. @default gw-01 */
  readonly subject?: string;
  readonly token?: string;
  readonly notAfter?: Date;
  readonly servername?: string;
  readonly provisioner?: string;
  readonly now?: Date;
}

/** Enrols a device as the gateway `gw-01`, but for what is changed; the certificate's chain. */
export async function enrol(ca: StepCaHarness, changes: EnrolmentChanges = {}): Promise<CertifiedKey> {
  const { subject = "gw-01", notAfter } = changes;
  const request = changes.request ?? (await requestFor("gw-01"));
  const token = changes.token ?? (await deviceToken(ca, { ...changes, request, subject }));
  const certPem = await signCsr(ca.endpoint("gateways"), { token, csrPem: request.csrPem, notAfter });
  return { certPem, keyPem: request.keyPem };
}

/** A device's token for a request. */
export async function deviceToken(ca: StepCaHarness, changes: EnrolmentChanges): Promise<string> {
  const { certPem, keyPem } = changes.by ?? (await device(ca.authority("sensirio")));
  // The maker's own certificate is what the token must chain to, and need not be in it.
  return x5cToken({
    provisioner: changes.provisioner ?? PROVISIONERS.makers,
    keyPem,
    chainPem: certPem,
    servername: changes.servername ?? ca.endpoint("gateways").servername,
    use: "sign",
    subject: changes.subject ?? "gw-01",
    csrPem: changes.request?.csrPem,
    now: changes.now ?? new Date(),
  });
}

/** The backend's token. */
export function backendToken(ca: StepCaHarness, use: "sign" | "revoke", subject: string, more: object = {}) {
  const keyPem = ca.secret("backend", "signing.key");
  const { servername } = ca.endpoint("gateways");
  return jwkToken({ provisioner: PROVISIONERS.backend, keyPem, servername, use, subject, now: new Date(), ...more });
}

/** A certificate for a name that the backend vouches for with its own key, but for what is changed. */
export async function vouchedLeaf(
  ca: StepCaHarness,
  name: string,
  more: object = {},
  leafClass: OnlineClass = "gateways",
): Promise<string> {
  const { csrPem } = await requestFor(name);
  const { servername } = ca.endpoint(leafClass);
  const token = await backendToken(ca, "sign", name, { csrPem, servername, ...more });
  return signCsr(ca.endpoint(leafClass), { token, csrPem });
}

/** An operator's certificate with the operators' key, but for what is changed. */
export async function operatorLeaf(
  ca: StepCaHarness,
  name: string,
  more: object = {},
  csrName = name,
): Promise<string> {
  const { csrPem } = await requestFor(csrName);
  return signCsr(ca.endpoint("operators"), {
    token: await operatorsToken(ca, { use: "sign", subject: name, csrPem, ...more }),
    csrPem,
  });
}

/** A token of the operators' key. */
export async function operatorsToken(
  ca: StepCaHarness,
  more: { readonly use: "sign" | "revoke"; readonly subject: string; readonly csrPem?: string },
): Promise<string> {
  const { servername } = ca.endpoint("operators");
  const keyPem = await openOperatorsKey({ authoritiesDir: ca.authoritiesDir, passphrase: () => PASSPHRASE });
  return jwkToken({ provisioner: PROVISIONERS.operators, keyPem, servername, now: new Date(), ...more });
}
