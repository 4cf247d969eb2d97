import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DeploymentCertificates, issueDeploymentCertificates } from "../../certs/deployment.ts";
import type { TlsFiles, TlsTexts } from "./tls.ts";

/** Name that the test certificates' servers have. */
export const TEST_SERVER = "backend.acme.trustkern.internal";

/** A PKI with two servers of one name, a gateway and an operator; made at that time. */
export function testPki(clock: () => Date = () => new Date()): Promise<DeploymentCertificates> {
  const services = ["svc-backend", "svc-collector"].map((name) => ({ name, dnsNames: [TEST_SERVER] }));
  return issueDeploymentCertificates({ tenant: "acme", clock, services, gateways: ["gw-01"], operators: ["op-admin"] });
}

/** The texts of one of a PKI's identities. */
export function textsOf({ root, leaves }: DeploymentCertificates, name: string): TlsTexts {
  const leaf = leaves.find((each) => each.name === name);
  if (leaf === undefined) throw new Error(`no ${name}`);
  return { ca: root.certPem, cert: leaf.certPem, key: leaf.keyPem };
}

/** Writes a set to a folder, and gives its paths. */
export function writeTexts(folder: string, { ca, cert, key }: TlsTexts): TlsFiles {
  const files = { caFile: join(folder, "ca.crt"), certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
  writeFileSync(files.caFile, ca);
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key, { mode: 0o600 });
  return files;
}
