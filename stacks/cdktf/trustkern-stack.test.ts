import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GcsBackend, type TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { buildModel } from "../../modules/index.ts";
import { renderImageLock } from "../../operations/images/lock-file.ts";
import { referenceOf } from "../../operations/images/lock-images.ts";
import { kubernetesPlacement } from "../kubernetes/placement.ts";
import { deploymentOf, KUBERNETES_FILES } from "../kubernetes/test-deployments.ts";
import * as published from "./index.ts";
import { TrustKernStack, type TrustKernStackArgs } from "./index.ts";
import { jsonOf } from "./stack.ts";

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-cdktf-"));
  file = join(dir, "trustkern.yaml");
  use(KUBERNETES_FILES["customer-tenant"]);
});
afterEach(() => rmSync(dir, { recursive: true }));

function use(text: object, lockFile = "images.lock.yaml"): void {
  writeFileSync(file, stringify(text));
  const deployment = deploymentOf(KUBERNETES_FILES["customer-tenant"]);
  const images = buildModel(deployment, kubernetesPlacement(deployment)).components.flatMap(({ image = "" }) => {
    if (image === "") return [];
    const reference = referenceOf(deployment.images, image, "1.0.0");
    return [[image, { reference, digest: `sha256:${"a".repeat(64)}` }] as const];
  });
  writeFileSync(join(dir, lockFile), renderImageLock({ source: "registry", images: Object.fromEntries(images) }));
}

interface Stack {
  readonly terraform: { readonly backend: object };
  readonly provider: object;
  readonly resource: object;
}

function synth(args: unknown, after: (stack: TerraformStack) => void = () => undefined): Stack {
  return jsonOf((scope: Construct) => {
    const stack = new TrustKernStack(scope, "plant", args as TrustKernStackArgs);
    after(stack);
    return stack;
  }) as Stack;
}

const codeOf = (args: unknown): unknown => {
  try {
    synth(args);
  } catch (thrown) {
    return (thrown as { readonly code?: unknown }).code;
  }
  return undefined;
};

describe("TrustKernStack", () => {
  it("is of a deployment file and the image lock beside it, with the state where the file says", () => {
    const stack = synth({ file });
    expect(stack.provider).toEqual({ kubernetes: [{}] });
    expect(stack.terraform.backend).toEqual({ local: { path: "terraform.tfstate" } });
    expect(stack.resource).toHaveProperty("kubernetes_stateful_set_v1.collector");
  });

  it("takes another lock, the app's back end, and how the app reaches the cluster", () => {
    rmSync(join(dir, "images.lock.yaml"));
    use(KUBERNETES_FILES["customer-tenant"], "other.yaml");
    const args = { file, imageLock: join(dir, "other.yaml"), backend: "app", provider: { configContext: "plant" } };
    const stack = synth(args, (own) => new GcsBackend(own, { bucket: "state" }));
    expect(stack.provider).toEqual({ kubernetes: [{ config_context: "plant" }] });
    expect(stack.terraform.backend).toEqual({ gcs: { bucket: "state" } });
  });

  it("names the Secrets that have to be there, and what the provider has no word for", () => {
    jsonOf((scope) => {
      const stack = new TrustKernStack(scope, "plant", { file });
      expect(stack.secrets.map(({ secret }) => secret)).toContain("collector");
      expect(new Set(stack.unsaid.map(({ path }) => path))).toEqual(new Set(["spec.unhealthyPodEvictionPolicy"]));
      return stack;
    });
  });

  it.each([
    ["nothing", undefined],
    ["no file", {}],
    ["a file without a name", { file: "" }],
    ["a file that is no text", { file: { path: "x" } }],
    ["a lock that is no text", { file: "trustkern.yaml", imageLock: 1 }],
    ["another back end", { file: "trustkern.yaml", backend: "s3" }],
    ["a provider that is none", { file: "trustkern.yaml", provider: "kubernetes" }],
    ["an argument that is none", { file: "trustkern.yaml", imagelock: "x" }],
  ])("refuses %s", (_, args) => {
    expect(codeOf(args)).toBe("CDKTF_ARGUMENTS");
  });

  it("refuses an engine without a cluster", () => {
    use({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
    expect(codeOf({ file })).toBe("CDKTF_ENGINE");
  });

  it("refuses a wrong deployment, and images that nothing pins", () => {
    writeFileSync(file, "name: demo\n");
    expect(codeOf({ file })).toBe("CONFIG_INVALID");
    use(KUBERNETES_FILES["customer-tenant"]);
    rmSync(join(dir, "images.lock.yaml"));
    expect(codeOf({ file })).toBe("KUBERNETES_IMAGE_UNPINNED");
  });
});

it("has the app of the guide as a file, which the compiler checks with all others", () => {
  const guide = readFileSync(join("docs", "guides", "kubernetes.md"), "utf8");
  const programs = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text);
  expect(programs).toEqual([readFileSync(join("examples", "customer-tenant", "cdktf", "main.ts"), "utf8")]);
});

it("gives out the stack, and otherwise types alone", () => {
  expect(Object.keys(published)).toEqual(["TrustKernStack"]);
});

// Each line below an expectation has to be an error of the compiler, which `tsc` sees to.
it("has types that refuse what it refuses", () => {
  const takes = (args: TrustKernStackArgs): TrustKernStackArgs => args;
  expect(takes({ file: "trustkern.yaml", provider: { configPath: "~/.kube/config" } })).toBeDefined();
  const wrong = [
    // @ts-expect-error: no file
    () => takes({}),
    // @ts-expect-error: no such back end
    () => takes({ file: "x", backend: "s3" }),
    // @ts-expect-error: no such argument
    () => takes({ file: "x", imagelock: "x" }),
    // @ts-expect-error: no such way to a cluster
    () => takes({ file: "x", provider: { context: "x" } }),
  ];
  expect(wrong).toHaveLength(4);
});
