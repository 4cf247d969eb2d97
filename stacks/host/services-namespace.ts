import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { permittedNamespace } from "../../certs/name-constraints.ts";
import { x509 } from "../../certs/x509.ts";
import type { Deployment } from "../../model/deployment.ts";
import { messageOf } from "../../shared/errors.ts";
import { hostErrors } from "./errors.ts";

/** The namespace whose Services the deployment's authority of services may name; undefined for one that no cluster runs. */
export function servicesNamespace({
  engine,
  kubernetes,
}: Pick<Deployment, "engine" | "kubernetes">): string | undefined {
  return engine === "kubernetes" ? kubernetes.namespace : undefined;
}

/**
 * The namespace that an authority of services was made for; undefined for one that was made for no cluster.
 * @throws STATE_CORRUPT where it is no certificate
 */
export function namespaceMadeFor(servicesPem: string, path: string): string | undefined {
  try {
    return permittedNamespace(new x509.X509Certificate(servicesPem));
  } catch (cause) {
    throw hostErrors.error("STATE_CORRUPT", `the authority of services cannot be read: ${messageOf(cause)}`, {
      path,
      cause,
    });
  }
}

/** Whether the authorities in a folder are there, and the one of services was made for another namespace, or another engine. */
export function isMadeForAnother(authoritiesDir: string, namespace: string | undefined): boolean {
  const file = join(authoritiesDir, "services.crt");
  return existsSync(file) && namespaceMadeFor(readFileSync(file, "utf8"), file) !== namespace;
}

/**
 * Refuses an authority of services that was made for another namespace, or on another engine: clients in the cluster would find no
 * name that they know in its leaves, or it may name what the deployment has not.
 * @param namespace the deployment's; undefined for one that no cluster runs
 * @throws AUTHORITY_NAMESPACE
 */
export function assertMadeFor(authoritiesDir: string, namespace: string | undefined): void {
  if (!isMadeForAnother(authoritiesDir, namespace)) return;
  const file = join(authoritiesDir, "services.crt");
  const before = namespaceMadeFor(readFileSync(file, "utf8"), file);
  const made = before === undefined ? "for an engine without a cluster" : `for the namespace "${before}" of a cluster`;
  const now = namespace === undefined ? "an engine without a cluster" : `the namespace "${namespace}"`;
  const stay =
    before === undefined ? "say an engine without a cluster again" : `say kubernetes.namespace: ${before} again`;
  const message = `the authority of services in "${authoritiesDir}" was made ${made}, and the deployment has ${now}`;
  throw hostErrors.error("AUTHORITY_NAMESPACE", message, {
    path: namespace === undefined ? "engine" : "kubernetes.namespace",
    fix: `${stay}; or, with nothing of it running any more, replace the authority with \`trustkern certs rotate --what intermediate:services\`, and deploy again`,
  });
}
