import { createHash } from "node:crypto";
import type { Deployment } from "../../model/deployment.ts";
import type { Layout } from "../host/layout.ts";

/** Prefix of the labels by which containers and networks of a deployment are found. */
export const LABEL = "trustkern";

/** A state directory as a label: two deployments of one name keep their states apart, and so what belongs to each. */
export const STATE_LABEL = `${LABEL}.state`;

/** The value of {@link STATE_LABEL} for a state directory, an absolute path. */
export function stateLabelOf(dir: string): string {
  return createHash("sha256").update(dir).digest("hex").slice(0, 16);
}

/** Labels of everything that belongs to a deployment. */
export function ownerLabels({ name, tenant }: Deployment, { dir }: Layout): Readonly<Record<string, string>> {
  return { [`${LABEL}.deployment`]: name, [`${LABEL}.tenant`]: tenant, [STATE_LABEL]: stateLabelOf(dir) };
}
