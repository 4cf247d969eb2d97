import { issueDeploymentCertificates } from "../../../../certs/deployment.ts";
import type { CertifiedKey } from "../../../../certs/issue.ts";
import { NAME_PREFIX } from "../../../../certs/names.ts";
import type { Model } from "../../../../model/boundary.ts";

/** Certificates that no port of the deployment may take, by the common name that they show. */
export interface Forged {
  /** The deployment's own names, under a root that somebody else made. */
  readonly "other-root": ReadonlyMap<string, CertifiedKey>;
  /** The same components of another tenant. */
  readonly "other-tenant": ReadonlyMap<string, CertifiedKey>;
}

/** Makes them in memory, for one verification; what they are signed with is forgotten at once. */
export async function forgeCertificates(model: Model, tenant: string, clock: () => Date): Promise<Forged> {
  const names = [...new Set(model.components.flatMap(({ identity }) => identity ?? []))];
  const of = (prefix: string) => names.filter((name) => name.startsWith(prefix));
  const make = async (who: string): Promise<ReadonlyMap<string, CertifiedKey>> => {
    const { leaves } = await issueDeploymentCertificates({
      tenant: who,
      clock,
      services: of(NAME_PREFIX.services).map((name) => ({ name })),
      gateways: of(NAME_PREFIX.gateways),
      operators: [],
    });
    return new Map(leaves.map((leaf) => [leaf.name, leaf]));
  };
  const [otherRoot, otherTenant] = await Promise.all([make(tenant), make(`${tenant.slice(0, 40)}-other`)]);
  return { "other-root": otherRoot, "other-tenant": otherTenant };
}
