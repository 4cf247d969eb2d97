import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { buildModel } from "../modules/index.ts";
import { renderImageLock } from "../operations/images/lock-file.ts";
import { referenceOf } from "../operations/images/lock-images.ts";
import { kubernetesPlacement } from "../stacks/kubernetes/placement.ts";
import { deploymentOf, KUBERNETES_FILES } from "../stacks/kubernetes/test-deployments.ts";
import { runCli } from "./test-io.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-kubernetes-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** No cluster, no network, no programs: what runs here needs none of them. */
const run = (...argv: string[]) => runCli(argv, { cwd, env: { PATH: cwd } });
const codeOf = async (...argv: string[]) => {
  const { exit, stdout } = await run(...argv, "--json");
  return [exit, JSON.parse(stdout).error?.code];
};

function use(lock = true): void {
  const file = KUBERNETES_FILES["customer-tenant"];
  writeFileSync(join(cwd, "trustkern.yaml"), stringify(file));
  if (!lock) return;
  const deployment = deploymentOf(file);
  const { components } = buildModel(deployment, kubernetesPlacement(deployment));
  const images = components.flatMap(({ image }) => {
    if (image === undefined) return [];
    return [
      [
        image,
        { reference: referenceOf(deployment.images, image, "1.0.0"), digest: `sha256:${"a".repeat(64)}` },
      ] as const,
    ];
  });
  writeFileSync(
    join(cwd, "images.lock.yaml"),
    renderImageLock({ source: "registry", images: Object.fromEntries(images) }),
  );
}

describe("export kubernetes", () => {
  it("writes an object to each file, in the order of their names, the same way twice", async () => {
    use();
    const { exit, stdout } = await run("export", "kubernetes", "-o", "out", "--json");
    expect(exit).toBe(0);
    const { files, secrets } = JSON.parse(stdout);
    expect(readdirSync(join(cwd, "out")).sort()).toEqual(files);
    const first = files.map((file: string) => readFileSync(join(cwd, "out", file), "utf8"));
    for (const text of first) expect(parseAllDocuments(text)).toHaveLength(1);
    expect(first.map((text: string) => parse(text).kind)[0]).toBe("Namespace");
    expect(secrets.map(({ secret }: { secret: string }) => secret)).toContain("collector");
    await run("export", "kubernetes", "-o", "out");
    expect(files.map((file: string) => readFileSync(join(cwd, "out", file), "utf8"))).toEqual(first);
    expect(first.join("")).not.toMatch(/PRIVATE KEY|kind: Secret/);
  });

  it("prints all objects as one stream without a folder", async () => {
    use();
    const { stdout } = await run("export", "kubernetes");
    const documents = parseAllDocuments(stdout);
    const { objects } = JSON.parse((await run("export", "kubernetes", "--json")).stdout);
    expect(documents).toHaveLength(objects.length);
    expect(documents.map((document) => ("toJS" in document ? document.toJS() : undefined))).toEqual(objects);
  });

  it("takes away objects that are no more, and touches no folder with anything else", async () => {
    use();
    await run("export", "kubernetes", "-o", "out");
    writeFileSync(join(cwd, "out", "50-statefulset-gone.yaml"), "");
    await run("export", "kubernetes", "-o", "out");
    expect(readdirSync(join(cwd, "out"))).not.toContain("50-statefulset-gone.yaml");
    mkdirSync(join(cwd, "mine"));
    writeFileSync(join(cwd, "mine", "kustomization.yaml"), "");
    expect(await codeOf("export", "kubernetes", "-o", "mine")).toEqual([2, "CLI_FILE_EXISTS"]);
    expect(readdirSync(join(cwd, "mine"))).toEqual(["kustomization.yaml"]);
  });

  it("refuses images without a digest: a cluster would run what a tag is moved to", async () => {
    use(false);
    expect(await codeOf("export", "kubernetes")).toEqual([2, "KUBERNETES_IMAGE_UNPINNED"]);
  });

  it("refuses another engine, and no other export takes this one", async () => {
    cpSync(join("examples", "single-host", "trustkern.yaml"), join(cwd, "trustkern.yaml"));
    expect(await codeOf("export", "kubernetes")).toEqual([2, "KUBERNETES_ENGINE_ONLY"]);
    use();
    expect(await codeOf("export", "compose")).toEqual([2, "DOCKER_ENGINE_ONLY"]);
  });
});

describe("synth", () => {
  it("prints the Terraform JSON without a cluster, the same way twice, with no secret in it", async () => {
    use();
    const { exit, stdout } = await run("synth");
    expect(exit).toBe(0);
    expect((await run("synth")).stdout).toBe(stdout);
    const { resource } = JSON.parse(stdout);
    const { objects } = JSON.parse((await run("export", "kubernetes", "--json")).stdout);
    expect(Object.values<object>(resource).flatMap((named) => Object.keys(named))).toHaveLength(objects.length);
    expect(stdout).not.toMatch(/PRIVATE KEY|kubernetes_secret/);
  });

  it("tells what is in no stack: Secrets by name, and what the provider has no word for", async () => {
    use();
    const { secrets, unsaid, stack } = JSON.parse((await run("synth", "--json")).stdout);
    expect(secrets).toEqual(JSON.parse((await run("export", "kubernetes", "--json")).stdout).secrets);
    expect(unsaid).toContainEqual({
      ...{ object: "PodDisruptionBudget/collector", path: "spec.unhealthyPodEvictionPolicy", value: "AlwaysAllow" },
    });
    expect(stack.terraform.required_providers.kubernetes.version).toBe("2.38.0");
  });

  it("writes the stack and every configuration file of what runs in the cluster to a folder", async () => {
    use();
    const { files } = JSON.parse((await run("synth", "-o", "out", "--json")).stdout);
    expect(files).toEqual(expect.arrayContaining(["cdk.tf.json", "config/collector/config.json"]));
    expect(files.filter((file: string) => /^config\/(database|prometheus|loki|grafana)\//.test(file))).toEqual([]);
  });

  it("refuses images without a digest", async () => {
    use(false);
    expect(await codeOf("synth")).toEqual([2, "KUBERNETES_IMAGE_UNPINNED"]);
  });
});
