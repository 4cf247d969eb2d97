import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Input, output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { TrustKernDeploymentArgs } from "./args.ts";
import * as published from "./index.ts";
import type { PlannedObject } from "./planned-object.ts";

/** Programs of the guide, in its order. */
const programs = [...readFileSync(join("docs", "guides", "pulumi.md"), "utf8").matchAll(/^```ts\n(.*?)^```$/gms)];

it("has the programs of the guide as files, which the compiler checks with all others", () => {
  const files = [
    join("stacks", "pulumi", "guide-program.ts"),
    join("examples", "customer-tenant", "pulumi", "index.ts"),
  ];
  expect(programs.map(([, text]) => text)).toEqual(files.map((file) => readFileSync(file, "utf8")));
});

it("gives out the component, and otherwise types alone", () => {
  expect(Object.keys(published)).toEqual(["TrustKernDeployment"]);
});

it("is no part of what the command line loads", () => {
  const { exports, dependencies, optionalDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync("package.json", "utf8"),
  );
  expect(exports).toMatchObject({ "./pulumi": "./stacks/pulumi/index.ts" });
  const installed = Object.keys({ ...dependencies, ...optionalDependencies });
  expect(installed.filter((name) => name.startsWith("@pulumi/"))).toEqual([]);
  expect(Object.keys(peerDependenciesMeta)).toEqual(["@pulumi/docker", "@pulumi/kubernetes", "@pulumi/pulumi"]);
});

it("asks peers for what it is tested with, or later", () => {
  const { devDependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const tested = Object.entries(devDependencies).filter(([name]) => name.startsWith("@pulumi/"));
  expect(peerDependencies).toEqual(Object.fromEntries(tested.map(([name, version]) => [name, `^${version}`])));
});

// Each line below an expectation has to be an error of the compiler, which `tsc` sees to.
describe("types", () => {
  const deployment = { name: "demo", tenant: "acme", profile: "dev", engine: "docker" } as const;
  const tenant: Input<string> = output("acme");
  const volume = (object: PlannedObject) => ({ ...object, kind: "volume" as const });
  const takes = (args: TrustKernDeploymentArgs): TrustKernDeploymentArgs => args;

  const cluster = { ...deployment, profile: "eu-hosted", engine: "kubernetes" } as const;

  it("take what trustkern.yaml takes", () => {
    expect(takes({ deployment, dir: "/srv/tk" })).toBeDefined();
    expect(takes({ deployment: cluster })).toBeDefined();
  });

  it("refuse what it does not, before a program runs", () => {
    const wrong = [
      // @ts-expect-error: no state directory
      () => takes({ deployment }),
      // @ts-expect-error: no such profile
      () => takes({ deployment: { ...deployment, profile: "prod" }, dir: "/srv/tk" }),
      // @ts-expect-error: no such member
      () => takes({ deployment: { ...deployment, region: "x" }, dir: "/srv/tk" }),
      // @ts-expect-error: an Output
      () => takes({ deployment: { ...deployment, tenant }, dir: "/srv/tk" }),
      // @ts-expect-error: no such argument
      () => takes({ deployment, dir: "/srv/tk", imagelock: "x" }),
      // @ts-expect-error: a user of a host, in a cluster
      () => takes({ deployment: cluster, runAs: { uid: 1, gid: 1 } }),
      // @ts-expect-error: another kind of object
      () => takes({ deployment, dir: "/srv/tk", transform: volume }),
      // @ts-expect-error: an input is there to be read
      (object: PlannedObject) => (object.inputs.name = "x"),
    ];
    expect(wrong).toHaveLength(8);
  });
});
