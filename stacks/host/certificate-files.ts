import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { InventorySource } from "../../certs/inventory.ts";
import type { CertsSite } from "./certs-site.ts";
import { certificatesIn } from "./pem.ts";

/** Every certificate that this host keeps, authorities and leaves, by the file that it is used from. */
export function certificateFiles({
  layout,
  model,
  pki,
}: Pick<CertsSite, "layout" | "model" | "pki">): readonly InventorySource[] {
  const authorities = ["", "makers"].flatMap((folder) => {
    const dir = join(layout.authoritiesDir, folder);
    const names = existsSync(dir) ? readdirSync(dir) : [];
    return names.filter((name) => name.endsWith(".crt")).map((name) => join(dir, name));
  });
  const leaves = model.components.flatMap(({ name }) => pki.leafFiles(name));
  return [...authorities, ...leaves].flatMap((file) => {
    const [certPem] = certificatesIn(readFileSync(file, "utf8"));
    return certPem === undefined ? [] : [{ certPem, usedBy: relative(layout.dir, file) }];
  });
}
