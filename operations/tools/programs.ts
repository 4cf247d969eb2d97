import { join } from "node:path";

/** A foreign program that the engines or their tests need, and that is built from its source. */
export type ToolName =
  | "tofu"
  | "terraform-provider-docker"
  | "step-ca"
  | "step-ca-pkcs11"
  | "step"
  | "loki"
  | "otelcol"
  | "cosign"
  | "kube-score"
  | "docker-compose"
  | "unzstd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubelet"
  | "kube-proxy"
  | "kubectl"
  | "coredns"
  | "pause";

/** How one program is built; its dependencies, and the hash of each, are in `tools/<module>/go.mod` and `go.sum`. */
export interface Program {
  /** The release, without a leading `v`. */
  readonly version: string;
  /** Import path of its main package. */
  readonly main: string;
  /** Values that upstream's release stamps in, as `-X` of the linker takes them. */
  readonly stamps: readonly string[];
  /** Build tags, as upstream's release has them. */
  readonly tags: readonly string[];
  /** Folder of its wrapper module in `tools/`. @default the program's name */
  readonly module?: string;
  /** Whether C code is part of it, which needs a C compiler, and the C library of the machine that built it. @default false */
  readonly cgo?: boolean;
}

const KUBERNETES = "1.34.1";

/** A program of Kubernetes, with the stamps and tags that hack/lib of its source gives a release. */
function kubernetes(name: string): Program {
  const stamps = { gitMajor: "1", gitMinor: "34", gitVersion: `v${KUBERNETES}` };
  return {
    version: KUBERNETES,
    main: `k8s.io/kubernetes/cmd/${name}`,
    stamps: ["k8s.io/client-go/pkg/version", "k8s.io/component-base/version"].flatMap((stamped) =>
      Object.entries(stamps).map(([variable, value]) => `${stamped}.${variable}=${value}`),
    ),
    tags: ["selinux", "notest", "grpcnotrace"],
    module: "kubernetes",
  };
}

/** Every program, with its version; a test holds the versions to the `go.mod` files. */
export const programs: Readonly<Record<ToolName, Program>> = {
  tofu: {
    version: "1.12.6",
    main: "github.com/opentofu/opentofu/cmd/tofu",
    stamps: ["github.com/opentofu/opentofu/version.dev=no"],
    tags: [],
  },
  // No release of it can be had as a Go module (its go.mod names another path): this is the master branch of 2026-09-16,
  // whose newest release, by its changelog and its documentation, is 4.6.0 of 2026-09-01.
  "terraform-provider-docker": {
    version: "4.6.0",
    main: "github.com/terraform-providers/terraform-provider-docker",
    stamps: ["main.version=4.6.0"],
    tags: [],
  },
  // Upstream's packages behind a main package of ours, since upstream's lets anybody revoke.
  "step-ca": { version: "0.30.2", main: ".", stamps: ["main.Version=0.30.2"], tags: [] },
  // PKCS #11 libraries are C: this one opens them.
  "step-ca-pkcs11": {
    version: "0.30.2",
    main: ".",
    stamps: ["main.Version=0.30.2"],
    tags: [],
    module: "step-ca",
    cgo: true,
  },
  step: {
    version: "0.30.2",
    main: "github.com/smallstep/cli/cmd/step",
    stamps: ["main.Version=0.30.2"],
    tags: [],
  },
  loki: {
    version: "3.7.8",
    main: "github.com/grafana/loki/v3/cmd/loki",
    stamps: ["github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8"],
    tags: ["netgo"],
  },
  otelcol: { version: "0.162.0", main: ".", stamps: ["main.version=0.162.0"], tags: [] },
  // What start.sh of a bundle unpacks with: a bare Debian has no zstd. The release is that of the library.
  unzstd: { version: "1.18.7", main: ".", stamps: ["main.Version=1.18.7"], tags: [] },
  // No deployment has it: the tests sign images with it, as a vendor does.
  cosign: {
    version: "3.1.3",
    main: "github.com/sigstore/cosign/v3/cmd/cosign",
    stamps: ["sigs.k8s.io/release-utils/version.gitVersion=3.1.3"],
    tags: [],
  },
  // As cosign, for the tests alone, which let it look at an export.
  "kube-score": {
    version: "1.20.0",
    main: "github.com/zegl/kube-score/cmd/kube-score",
    stamps: ["main.version=1.20.0"],
    tags: [],
  },
  // As the two before, for the tests alone: Docker Compose, as it reads an exported file.
  "docker-compose": {
    version: "2.40.3",
    main: "github.com/docker/compose/v2/cmd",
    stamps: ["github.com/docker/compose/v2/internal.Version=2.40.3"],
    tags: [],
  },
  // A cluster on one machine, for the tests alone.
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  kubelet: kubernetes("kubelet"),
  "kube-proxy": kubernetes("kube-proxy"),
  kubectl: kubernetes("kubectl"),
  // Upstream's packages behind a main package of ours with the few plugins that a cluster needs. Its version is a constant of its source.
  coredns: { version: "1.15.0", main: ".", stamps: [], tags: [] },
  // Ours: the first process of each pod.
  pause: { version: "1.0.0", main: ".", stamps: ["main.version=1.0.0"], tags: [] },
};

/**
 * The release of a program.
 * @returns without a leading `v`, such as `1.12.6`
 */
export function toolVersion(name: ToolName): string {
  return programs[name].version;
}

/** Folder of the wrapper module that a program is built from. */
export function toolModule(toolsDir: string, name: ToolName): string {
  return join(toolsDir, programs[name].module ?? name);
}
