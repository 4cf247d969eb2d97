import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { runCli } from "../../cli/test-io.ts";
import { copyCustomerTenant } from "../support/customer-tenant.ts";
import { PROJECT, scratch } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects are read as anybody's
type Loose = any;

// What Pulumi's language host does to a program, with mocks in the engine's place.
const HOST = `
  import { runtime } from "@pulumi/pulumi";
  const registered = [];
  await runtime.setMocks({
    newResource: ({ type, name, inputs }) => (registered.push({ type, name, inputs }), { id: name, state: inputs }),
    call: () => ({}),
  });
  const { namespace, endpoints } = await import("./index.ts");
  await runtime.disconnect();
  endpoints.apply((reached) => namespace.apply((own) => process.stdout.write(JSON.stringify({ registered, reached, own }))));
`;

let folder: ReturnType<typeof scratch>;
const example = () => join(folder.dir, "customer-tenant");
const project = () => join(example(), "pulumi");

/** The example in a place of its own, with a project that depends on the clone as README.md says. */
beforeAll(() => {
  folder = scratch("pulumi-customer-tenant");
  copyCustomerTenant(example());
  const readme = readFileSync(join(PROJECT, "examples", "customer-tenant", "README.md"), "utf8");
  const manifest = JSON.parse(/^```json\n(.*?)^```$/ms.exec(readme)?.[1] ?? "{}");
  expect(manifest).toMatchObject({ type: "module", main: "index.ts" });
  writeFileSync(join(project(), "package.json"), JSON.stringify(manifest));
  const modules = join(project(), "node_modules");
  mkdirSync(modules);
  for (const name of Object.keys(manifest.dependencies)) {
    const target = name === "trustkern" ? PROJECT : join(PROJECT, "node_modules", name);
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(target, join(modules, name));
  }
  writeFileSync(join(project(), "host.mjs"), HOST);
});
afterAll(() => folder.remove());

const runHost = (cwd = project()): Promise<Ended> =>
  runProgram(process.execPath, [join(project(), "host.mjs")], { cwd });

it("registers the objects of the export, and says of pods and Services that nobody waits for them", async () => {
  const { code, stdout, stderr } = await runHost();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { registered, reached, own } = JSON.parse(stdout);
  const exported = await runCli(["export", "kubernetes", "--json"], { cwd: example(), env: { PATH: example() } });
  const { objects } = JSON.parse(exported.stdout);
  const key = ({ kind, metadata }: Loose) => `${kind}/${metadata.name}`;
  const inputs = registered
    .filter(({ type }: Loose) => type.startsWith("kubernetes:"))
    .map((each: Loose) => each.inputs);
  const waiting = inputs.filter(({ metadata }: Loose) => metadata.annotations?.["pulumi.com/skipAwait"] !== undefined);
  expect([...new Set(waiting.map(({ kind }: Loose) => kind))].sort()).toEqual(["Job", "Service", "StatefulSet"]);
  for (const { metadata } of waiting) {
    expect(metadata.annotations).toEqual({ "pulumi.com/skipAwait": "true" });
    delete metadata.annotations;
  }
  const byKey = (all: Loose[]) => Object.fromEntries(all.map((each) => [key(each), each]));
  expect(inputs).toHaveLength(objects.length);
  expect(byKey(inputs)).toEqual(byKey(objects));
  expect(own).toBe("plant-north");
  expect(reached["broker.mqtts"]).toMatchObject({ address: "broker-published.plant-north.svc", port: 8883 });
});

it("finds its file and its lock wherever it is started", async () => {
  expect(await runHost(folder.dir)).toMatchObject({ code: 0, stderr: "" });
});

it("says in Pulumi.yaml what Node needs to run it as it is", () => {
  const { runtime, main } = parse(readFileSync(join(project(), "Pulumi.yaml"), "utf8"));
  expect(runtime).toEqual({ name: "nodejs", options: { typescript: false } });
  expect(main).toBeUndefined();
  expect(existsSync(join(project(), "index.ts"))).toBe(true);
});

it("ends with our error, and registers nothing, where images are not locked", async () => {
  rmSync(join(example(), "images.lock.yaml"));
  const { code, stdout, stderr } = await runHost();
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("IMAGES_NOT_LOCKED");
});
