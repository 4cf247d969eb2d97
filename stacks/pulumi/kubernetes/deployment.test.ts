import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runCli } from "../../../cli/test-io.ts";
import { clusterArgs, known, planCluster, type Registration, underMocks } from "../../../test/support/pulumi.ts";
import { KUBERNETES_FILES } from "../../kubernetes/test-deployments.ts";
import type { TrustKernDeploymentArgs } from "../args.ts";
import { TrustKernDeployment } from "../deployment.ts";
import { planDeployment } from "../plan-deployment.ts";
import type { Transform } from "../transform.ts";

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as anybody's
type Loose = any;

const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];
const hosted = clusterArgs(KUBERNETES_FILES["eu-hosted"]);

afterEach(() => {
  vi.restoreAllMocks();
});

const register = (args: TrustKernDeploymentArgs) => underMocks(() => new TrustKernDeployment("acme", args));

/** The objects that `trustkern export kubernetes` writes for the same file and lock. */
async function exported({ deployment, imageLock }: ReturnType<typeof clusterArgs>): Promise<readonly Loose[]> {
  const cwd = dirname(imageLock);
  writeFileSync(join(cwd, "trustkern.yaml"), JSON.stringify(deployment));
  const { stdout } = await runCli(["export", "kubernetes", "--json"], { cwd, env: { PATH: cwd } });
  return JSON.parse(stdout).objects;
}

/** Resources of a registration, without the component itself. */
const resources = (registrations: readonly Registration[]) =>
  registrations.filter(({ type }) => type.startsWith("kubernetes:"));

describe.each(PROFILES)("a deployment of profile %s", (profile) => {
  const args = clusterArgs(KUBERNETES_FILES[profile]);

  it("registers exactly the objects of the export, each as it is there, in that order", async () => {
    const { registrations } = await register(args);
    const objects = await exported(args);
    expect(objects.length).toBeGreaterThan(30);
    const registered = resources(registrations);
    expect(registered.map(({ inputs }) => inputs)).toEqual(expect.arrayContaining([...objects]));
    expect(objects).toEqual(expect.arrayContaining(registered.map(({ inputs }) => inputs)));
    expect(registered).toHaveLength(objects.length);
    expect(planCluster(args).objects.map(({ inputs }) => inputs)).toEqual(objects);
  });

  it("registers each by the type of its version and kind, and by its own name", async () => {
    const { registrations } = await register(args);
    for (const { type, name, inputs } of resources(registrations)) {
      const { apiVersion, kind, metadata } = inputs as Loose;
      const version = apiVersion === "v1" ? "core/v1" : apiVersion;
      expect(type).toBe(`kubernetes:${version}:${kind}`);
      expect(name).toBe(`acme/${metadata.name}`);
    }
    expect(registrations.filter(({ type }) => !type.startsWith("kubernetes:")).map(({ type }) => type)).toEqual([
      "trustkern:index:TrustKernDeployment",
    ]);
  });

  it("names secrets, and registers none", async () => {
    const { result, registrations } = await register(args);
    expect(resources(registrations).filter(({ type }) => type.endsWith(":Secret"))).toEqual([]);
    const { plan, context } = planCluster(args);
    const secrets = (await known(result.secrets)) as Loose[];
    expect(secrets).toContainEqual({
      ...{ component: "collector", name: "tls.key", secret: "collector" },
      namespace: context.deployment.kubernetes.namespace,
    });
    expect(secrets).toHaveLength(plan.secrets.flatMap(({ keys }) => keys).length);
    const mounted = planCluster(args).objects.flatMap(({ inputs }) =>
      ((inputs as Loose).spec?.template?.spec?.volumes ?? []).flatMap((each: Loose) => each.secret?.secretName ?? []),
    );
    expect([...new Set(mounted)].sort()).toEqual([...new Set(secrets.map(({ secret }) => secret))].sort());
  });

  it("tells the program of every object, and of nothing that docker has", async () => {
    const { result } = await register(args);
    const { objects, context } = planCluster(args);
    const ids = (await known(result.objects)) as Record<string, string>;
    expect(Object.keys(ids).sort()).toEqual(objects.map(({ kind, name }) => `${kind}/${name}`).sort());
    expect(ids["Service/broker"]).toBe("id-of-acme/broker");
    expect(await known(result.namespace)).toBe(context.deployment.kubernetes.namespace);
    expect([await known(result.containers), await known(result.networks)]).toEqual([{}, {}]);
    expect(await known(result.processLimits)).toEqual([]);
  });
});

describe("published ports", () => {
  const reached = async (publish: object | undefined) => {
    const file = { ...KUBERNETES_FILES["eu-hosted"], ports: { broker: 8884 } };
    const { publish: _, ...kubernetes } = file.kubernetes;
    const said = publish === undefined ? kubernetes : { ...kubernetes, publish };
    const { result } = await register(clusterArgs({ ...file, kubernetes: said }));
    return (await known(result.endpoints)) as Record<string, Loose>;
  };

  it("are those of the load balancer's Service, or of the component's own", async () => {
    const from = ["192.0.2.0/24"];
    const balanced = await reached({ service: "LoadBalancer", from });
    expect(balanced["broker.mqtts"]).toEqual({
      ...{ address: "broker-published.tk-demo.svc", port: 8884, protocol: "tcp" },
      serverName: "broker.acme.trustkern.internal",
    });
    const inside = await reached({ from });
    expect(inside["broker.mqtts"]).toMatchObject({ address: "broker.tk-demo.svc", port: 8883 });
    expect(Object.keys(inside)).toEqual(Object.keys(balanced));
    expect(Object.keys(inside)).not.toContain("database.postgres");
  });

  it("are none where nobody may reach them", async () => {
    expect(await reached(undefined)).toEqual({});
  });
});

describe("the order of a deployment", () => {
  interface Asked {
    readonly kind: string;
    readonly name: string;
    readonly needs: readonly string[];
    readonly kept: boolean;
    readonly replacedAfter: boolean;
    readonly parent: string;
  }

  /** What the engine is asked for beside the inputs. */
  async function asked(): Promise<readonly Asked[]> {
    const spy = vi.spyOn(MockMonitor.prototype, "registerResource");
    await register(hosted);
    return spy.mock.calls.map(([request]: Loose) => ({
      kind: request.getType().split(":").at(-1),
      name: request.getName(),
      needs: request.getDependenciesList().map((urn: string) => urn.split("::").slice(-2).join("::")),
      kept: request.getRetainondelete(),
      replacedAfter: !request.getDeletebeforereplace(),
      parent: request.getParent(),
    }));
  }

  it("has namespace, accounts, policies and configuration before any pod, and after the last", async () => {
    const requests = await asked();
    const before = requests.filter(({ kind }) =>
      ["Namespace", "ServiceAccount", "NetworkPolicy", "ConfigMap"].includes(kind),
    );
    const workloads = requests.filter(({ kind }) => ["StatefulSet", "Deployment", "Job"].includes(kind));
    expect(workloads.length).toBeGreaterThan(5);
    for (const { needs } of workloads) {
      expect(needs.map((need) => need.split("::")[1]).sort()).toEqual(before.map(({ name }) => name).sort());
      expect(needs.some((need) => need.includes(":Service::"))).toBe(false);
    }
    for (const { kind, needs, parent } of requests.filter(({ name }) => name.startsWith("acme/"))) {
      expect(parent).toContain("TrustKernDeployment");
      expect(needs.some((need) => need.includes(":Namespace::"))).toBe(kind !== "Namespace");
    }
  });

  it("keeps the namespace, with its claims and Secrets, when the stack is destroyed, and nothing else", async () => {
    const requests = await asked();
    expect(requests.filter(({ kept }) => kept).map(({ kind }) => kind)).toEqual(["Namespace"]);
  });

  it("deletes what it replaces first: its name is taken until then", async () => {
    const requests = await asked();
    expect(requests.filter(({ kind, replacedAfter }) => kind !== "TrustKernDeployment" && replacedAfter)).toEqual([]);
  });
});

it("keeps two deployments of a stack apart, whatever they are called", async () => {
  const tenant = clusterArgs(KUBERNETES_FILES["customer-tenant"]);
  const { registrations } = await underMocks(() => [
    new TrustKernDeployment("a", hosted),
    new TrustKernDeployment("a.broker", tenant),
  ]);
  const urns = registrations.map(({ type, name }) => `${type} ${name}`);
  expect(new Set(urns).size).toBe(urns.length);
});

describe("a deployment on Kubernetes is refused", () => {
  const codeOf = (said: unknown) => {
    try {
      planDeployment(said);
    } catch (thrown) {
      const { code, path } = thrown as { readonly code: string; readonly path?: string };
      return [code, path];
    }
    return [];
  };
  const { deployment } = hosted;

  it.each([
    ["with a state directory", { ...hosted, dir: "/srv/tk" }, ["PULUMI_ARGUMENTS", "dir"]],
    ["with a user of a host", { ...hosted, runAs: { uid: 1, gid: 1 } }, ["PULUMI_ARGUMENTS", "runAs"]],
    ["without a lock", { ...hosted, imageLock: "none.yaml" }, ["IMAGES_NOT_LOCKED", expect.stringMatching(/none/)]],
    [
      "with keys on a machine",
      { ...hosted, deployment: { ...deployment, custody: { kind: "tpm2" } } },
      ["CONFIG_INVALID", "deployment"],
    ],
    [
      "with a setting that there is none of",
      { ...hosted, deployment: { ...deployment, kubernetes: { ...deployment.kubernetes, replicas: 2 } } },
      ["CONFIG_INVALID", "deployment"],
    ],
  ])("%s", (_, said, expected) => {
    expect(codeOf(said)).toEqual(expected);
  });

  it("before anything is registered", async () => {
    const worse: Transform = (object) =>
      object.kind === "StatefulSet" ? ({ ...object, inputs: { ...object.inputs, kind: "Pod" } } as Loose) : undefined;
    const seen: Registration[] = [];
    const program = () => new TrustKernDeployment("acme", { ...hosted, transform: worse });
    await expect(underMocks(program, seen)).rejects.toMatchObject({ code: "PULUMI_TRANSFORM_REFUSED", exit: 5 });
    expect(seen).toEqual([]);
  });
});
