import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stableJson } from "../../../shared/stable-json.ts";

/** Kind of build that the parameters below are of. A name of ours, which leads nowhere. */
export const BUILD_TYPE = "urn:uuid:45ed333d-972d-41a4-bcab-b2d2ff3b30f5";

/** What made a bundle: `trustkern bundle create`, of this release. */
const BUILDER = "urn:uuid:f7c123ba-3d66-48aa-9d5d-cca03459bb66";

/** What a bundle was made from. */
export interface ProvenanceRequest {
  /** Folder of the project: its lock files are what everything in a bundle was fetched by. */
  readonly projectDir: string;
  readonly version: string;
  /** Node.js that made it. */
  readonly node: string;
  readonly tenant: string;
  readonly deployment: string;
  readonly platform: string;
  /** Files of the deployment, by their names in the bundle, such as `deployment/trustkern.yaml`. */
  readonly inputs: ReadonlyMap<string, Uint8Array>;
  /** Package URLs of what came from a distribution without a lock file of ours: Debian packages. */
  readonly fetched: readonly string[];
}

interface Dependency {
  readonly uri: string;
  readonly digest?: { readonly sha256: string };
}

/**
 * How a bundle was made, as predicate of SLSA Provenance v1 (https://slsa.dev/spec/v1.0/provenance). It follows from its
 * arguments alone: no time, no host and no path is in it, so that who makes the bundle again gets the same bytes.
 */
export function provenanceOf(request: ProvenanceRequest): Uint8Array {
  const { version, node, tenant, deployment, platform } = request;
  const predicate = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: { tenant, deployment, platform },
      internalParameters: { toolkit: version, node },
      resolvedDependencies: dependenciesOf(request),
    },
    runDetails: { builder: { id: BUILDER, version: { trustkern: version } } },
  };
  return Buffer.from(`${stableJson(predicate, 1)}\n`);
}

function dependenciesOf({ projectDir, inputs, fetched }: ProvenanceRequest): readonly Dependency[] {
  const locks = ["package-lock.json", ...goSums(projectDir)].map((path) =>
    described(path, readFileSync(join(projectDir, path))),
  );
  const files = [...inputs].map(([path, content]) => described(path, content));
  const packages = [...new Set(fetched)].map((uri) => ({ uri }));
  return [...locks, ...files, ...packages].sort((a, b) => (a.uri < b.uri ? -1 : 1));
}

/** What pins every Go module. One that requires none has no `go.sum`. */
function goSums(projectDir: string): readonly string[] {
  return readdirSync(join(projectDir, "tools"), { recursive: true, encoding: "utf8" })
    .filter((path) => /^[^/]+\/go\.(mod|sum)$/.test(path))
    .sort()
    .map((path) => `tools/${path}`);
}

/** A file by its path in the project or in the bundle (RFC 3986, a relative reference). */
function described(uri: string, content: Uint8Array): Dependency {
  return { uri, digest: { sha256: createHash("sha256").update(content).digest("hex") } };
}
