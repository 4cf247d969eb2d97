import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";
import { STATE_FILE } from "../../stacks/cdktf/stack.ts";
import { findProgram } from "../../stacks/docker/terraform/program.ts";
import { type Terraform, terraform } from "../../stacks/docker/terraform/terraform.ts";
import { synthJson } from "../../stacks/kubernetes/cdktf.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../stacks/kubernetes/test-deployments.ts";
import { PROJECT, scratch } from "../support/deployment.ts";

const signal = new AbortController().signal;
let folder: ReturnType<typeof scratch>;
let tofu: Terraform;

beforeAll(async () => {
  folder = scratch("kubernetes-terraform");
  const tools = {
    ...{
      cacheDir: defaultCacheDir(process.env, homedir()),
      toolsDir: join(PROJECT, "tools"),
      env: process.env,
      signal,
    },
    onProgress: () => undefined,
  };
  const program = await findProgram({ env: process.env, signal, fallback: () => ensureTool(tools, "tofu") });
  tofu = terraform({
    ...{ program, workDir: folder.dir, localState: STATE_FILE, names: {}, env: process.env, signal },
    onProgress: () => undefined,
  });
}, 900_000);
afterAll(() => folder.remove());

/** What OpenTofu works out of a value of its JSON. */
async function workedOut(value: unknown): Promise<unknown> {
  writeFileSync(join(folder.dir, "cdk.tf.json"), JSON.stringify({ output: { all: { value } } }));
  await tofu.init();
  await tofu.apply();
  return (await tofu.outputs()).all;
}

it("has texts that OpenTofu works out to what the exported objects say", async () => {
  const deployment = deploymentOf(KUBERNETES_FILES["eu-hosted"]);
  const { plan } = testPlan(deployment);
  const { resource } = synthJson(plan, { backend: deployment.state, localFile: STATE_FILE }) as {
    readonly resource: Readonly<Record<string, Readonly<Record<string, { readonly data: object }>>>>;
  };
  const maps = Object.values(resource.kubernetes_config_map_v1 ?? {}).map(({ data }) => data);
  const exported = plan.objects.flatMap((object) => ("data" in object ? [object.data] : []));
  expect(JSON.stringify(maps)).toContain("$${");
  expect(sorted((await workedOut(maps)) as object[])).toEqual(sorted(exported as object[]));
});

it("has signs before a brace that are themselves, however many there are", async () => {
  const signs = ["$", "%", "{"];
  const texts = [1, 2, 3, 4, 5].flatMap((length) =>
    Array.from({ length: signs.length ** length }, (_, number) =>
      Array.from({ length }, (_, at) => signs[Math.floor(number / signs.length ** at) % signs.length]).join(""),
    ),
  );
  const plan = testPlan(deploymentOf(KUBERNETES_FILES["eu-hosted"])).plan;
  const map = plan.objects.find(({ kind }) => kind === "ConfigMap");
  const data = Object.fromEntries(texts.map((text, index) => [`t${index}`, text]));
  const objects = [{ ...map, data }] as unknown as typeof plan.objects;
  const state = { backend: plan.deployment.state, localFile: STATE_FILE };
  const stack = synthJson({ ...plan, objects }, state) as {
    readonly resource: { readonly kubernetes_config_map_v1: object };
  };
  const [resource] = Object.values<{ readonly data: object }>(stack.resource.kubernetes_config_map_v1 as never);
  expect(await workedOut(resource?.data)).toEqual(data);
});

function sorted(maps: readonly object[]): readonly string[] {
  return maps.map((map) => JSON.stringify(Object.entries(map).toSorted())).toSorted();
}
