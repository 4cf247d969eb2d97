import { generateKeyPairSync, randomBytes } from "node:crypto";
import { join } from "node:path";
import type { StoredAuthority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { LEAF_CLASSES } from "../../../certs/names.ts";
import { ONLINE_CLASSES, stepCaComponent } from "../../../certs/step-ca/names.ts";
import { writePrivate } from "../../../stacks/host/files.ts";

/**
 * Makes the authorities of a deployment, `root`, the classes, and the makers `sensirio` and `other`, in the folder where the
 * host has them; `other` is not in the folder, so that the deployment does not know it.
 */
export async function makeAuthorities(tenant: string, dir: string): Promise<Readonly<Record<string, StoredAuthority>>> {
  const now = new Date();
  const { authority: root } = await issueRoot({ tenant, now });
  const made: Record<string, StoredAuthority> = { root };
  const keep = (name: string, { certPem, keyPem }: CertifiedKey): void => {
    writePrivate(join(dir, `${name}.crt`), certPem);
    writePrivate(join(dir, `${name}.key`), keyPem);
  };
  for (const leafClass of LEAF_CLASSES) {
    const { authority } = await issueIntermediate(root, { leafClass, now });
    made[leafClass] = authority;
    keep(leafClass, authority);
  }
  for (const maker of ["sensirio", "other"]) {
    const { authority } = await issueIntermediate(root, { maker, now });
    made[maker] = authority;
    if (maker === "sensirio") keep(`makers/${maker}`, authority);
  }
  return made;
}

/** Makes the secrets that the online authorities' own are made of. */
export function makeSecrets(rootPem: string, secretFile: (component: string, secret: string) => string): void {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyPem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  writePrivate(secretFile("backend", "signing.key"), keyPem);
  for (const leafClass of ONLINE_CLASSES) {
    const name = stepCaComponent(leafClass);
    writePrivate(secretFile(name, "ca.crt"), rootPem);
    writePrivate(secretFile(name, "intermediate.password"), randomBytes(32).toString("base64url"));
  }
}
