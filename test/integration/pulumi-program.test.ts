import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildModel } from "../../modules/index.ts";
import { renderImageLock } from "../../operations/images/lock-file.ts";
import { imageNamesOf, referenceOf } from "../../operations/images/lock-images.ts";
import { digestOf } from "../../operations/images/signatures/test-signer.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { PROJECT, scratch } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";

// What Pulumi's language host does to a program, with mocks in the engine's place.
const HOST = `
  import { runtime } from "@pulumi/pulumi";
  const registered = [];
  await runtime.setMocks({
    newResource: ({ type, name, inputs }) => (registered.push({ type, name, inputs }), { id: name, state: inputs }),
    call: () => ({}),
  });
  const { broker } = await import("./index.ts");
  await runtime.disconnect();
  broker.apply((endpoint) => process.stdout.write(JSON.stringify({ registered, endpoint })));
`;

let folder: ReturnType<typeof scratch>;

/** A project beside the clone, which npm links into its folder of packages. */
beforeAll(() => {
  folder = scratch("pulumi");
  const modules = join(folder.dir, "node_modules");
  mkdirSync(modules);
  symlinkSync(PROJECT, join(modules, "trustkern"));
  symlinkSync(join(PROJECT, "node_modules", "@pulumi"), join(modules, "@pulumi"));
  writeFileSync(join(folder.dir, "package.json"), '{ "type": "module", "main": "index.ts" }\n');
  writeFileSync(join(folder.dir, "host.mjs"), HOST);
  const guide = readFileSync(join(PROJECT, "docs", "guides", "pulumi.md"), "utf8");
  writeFileSync(join(folder.dir, "index.ts"), /^```ts\n(.*?)^```$/ms.exec(guide)?.[1] ?? "");
  const images = { source: "packages", grafana: "absent" } as const;
  const deployment = resolveDeployment({ name: "a", tenant: "b", profile: "dev", engine: "docker", images });
  const locked = imageNamesOf(buildModel(deployment, dockerPlacement(deployment))).map((name) => {
    return [name, { reference: referenceOf(deployment.images, name, "0.1.0"), digest: digestOf(name) }] as const;
  });
  const lock = renderImageLock({ source: "packages", images: Object.fromEntries(locked) });
  writeFileSync(join(folder.dir, "images.lock.yaml"), lock);
});
afterAll(() => folder.remove());

const runHost = (): Promise<Ended> => runProgram(process.execPath, ["host.mjs"], { cwd: folder.dir });

describe("the program of the guide, in a project of its own", () => {
  it("registers its deployment, with what its transform gave back", async () => {
    const { code, stdout, stderr } = await runHost();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { registered, endpoint } = JSON.parse(stdout);
    const named = (name: string) => registered.find((each: { name: string }) => each.name === name);
    expect(named("plant-north")).toMatchObject({ type: "trustkern:index:TrustKernDeployment" });
    expect(named("plant-north.loki")).toMatchObject({ inputs: { memory: 256, memorySwap: 256 } });
    expect(named("plant-north.collector")).toMatchObject({ type: "docker:index/container:Container" });
    expect(endpoint).toMatchObject({ port: 8883, serverName: "broker.acme.trustkern.internal" });
  });

  it("ends with our error, and registers nothing, where an image is not locked", async () => {
    writeFileSync(join(folder.dir, "images.lock.yaml"), "schema: trustkern.images/1\nsource: packages\nimages: {}\n");
    const { code, stdout, stderr } = await runHost();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("IMAGES_NOT_LOCKED");
  });
});

it("loads nothing of Pulumi where the command line runs", async () => {
  const noted = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from "node:module";
    registerHooks({ load: (url, context, next) => (process.stderr.write(url + "\\n"), next(url, context)) });
  `)}`;
  const args = ["--import", noted, join(PROJECT, "cli", "main.ts"), "explain", "PULUMI_ENGINE"];
  const { code, stdout, stderr } = await runProgram(process.execPath, args, { cwd: folder.dir });
  expect(code).toBe(0);
  expect(stdout).toContain("PULUMI_ENGINE");
  expect(stderr).toContain("/stacks/pulumi/errors.ts");
  expect(stderr.split("\n").filter((url) => url.includes("/node_modules/@pulumi/"))).toEqual([]);
});
