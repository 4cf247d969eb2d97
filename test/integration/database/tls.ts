import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueDeploymentCertificates } from "../../../certs/deployment.ts";
import type { PostgresTls } from "../../../shared/postgres-tls.ts";

/** Name in the certificate of the test's database. */
export const SERVER_NAME = "database.acme.trustkern.internal";

/** A database's certificate, and how to verify it. */
export interface DatabaseTls {
  readonly right: PostgresTls;
  /** Another authority with the same names. */
  readonly foreign: PostgresTls;
  readonly files: Readonly<Record<"ca" | "foreign" | "cert" | "key", string>>;
}

/** Makes the certificate of a database, with its files in `folder`. */
export async function makeDatabaseTls(folder: string): Promise<DatabaseTls> {
  const [own, others] = await Promise.all([made(), made()]);
  const at = (name: string, content = ""): string => {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const [leaf] = own.leaves;
  return {
    right: { ca: own.root.certPem, servername: SERVER_NAME },
    foreign: { ca: others.root.certPem, servername: SERVER_NAME },
    files: {
      ca: at("ca.crt", own.root.certPem),
      foreign: at("foreign.crt", others.root.certPem),
      cert: at("tls.crt", leaf?.certPem),
      key: at("tls.key", leaf?.keyPem),
    },
  };
}

function made() {
  return issueDeploymentCertificates({
    tenant: "acme",
    clock: () => new Date(),
    services: [{ name: "svc-database", dnsNames: [SERVER_NAME] }],
    gateways: [],
    operators: [],
  });
}
