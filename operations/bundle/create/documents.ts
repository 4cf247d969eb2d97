import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DASHBOARDS } from "../../../modules/grafana/dashboards/index.ts";
import { messageOf } from "../../../shared/errors.ts";
import { bundleCreateErrors } from "./errors.ts";
import { type BundleFile, copyOf, fileOf } from "./source.ts";

/** Texts of the project that lie where they lie in it, so that the links between them lead somewhere. */
const TEXTS = ["README.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"] as const;

/** Rules for the host's firewall, which a site loads as the guides say: it has no clone to take them from. */
const FIREWALL = "stacks/docker/firewall.nft";

const MIGRATIONS = "modules/timescaledb/migrations";

/**
 * Documents, rules for the host's firewall, the database's migrations and the dashboards: for reading, reviewing, and a Grafana that the site has already.
 * @throws BUNDLE_DOCUMENT_MISSING
 */
export function documentFiles(projectDir: string): readonly BundleFile[] {
  const at = (path: string): string => join(projectDir, path);
  try {
    const docs = readdirSync(at("docs"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".md"));
    const migrations = readdirSync(at(MIGRATIONS)).filter((name) => name.endsWith(".sql"));
    return [
      ...[...TEXTS, FIREWALL].map((name) => copyOf(name, at(name))),
      ...docs.sort().map((path) => copyOf(`docs/${path}`, at(join("docs", path)))),
      ...migrations.sort().map((name) => copyOf(`migrations/${name}`, at(join(MIGRATIONS, name)))),
      ...DASHBOARDS.map(({ uid, json }) => fileOf(`dashboards/${uid}.json`, json)),
    ];
  } catch (cause) {
    throw bundleCreateErrors.error("BUNDLE_DOCUMENT_MISSING", messageOf(cause), { path: projectDir, cause });
  }
}
