import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { TrustKernError } from "../../shared/errors.ts";
import { kubernetesPlacement } from "../kubernetes/placement.ts";
import { layoutOf } from "./layout.ts";
import { prepareSecrets } from "./secrets.ts";
import { assertMadeFor, servicesNamespace } from "./services-namespace.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-namespace-"));
afterAll(() => rmSync(folder, { recursive: true }));

const deploymentOf = (engine: Engine, namespace?: string) => {
  const kubernetes = namespace === undefined ? {} : { kubernetes: { namespace } };
  return resolveDeployment({ name: "plant", tenant: "acme", profile: "dev", engine, ...kubernetes });
};
const layout = (name: string) => layoutOf(join(folder, name), tmpdir());

function prepare(name: string, engine: Engine, namespace?: string) {
  const deployment = deploymentOf(engine, namespace);
  const at = layout(name);
  return prepareSecrets({
    layout: at,
    model: buildModel(deployment, referencePlacement(deployment)),
    secretFile: (component, secret) => join(at.secretsDir, component, secret),
    tenant: "acme",
    namespace: servicesNamespace(deployment),
    pki: deployment.pki,
    clock: () => new Date("2026-11-21T08:00:00Z"),
    existing: false,
    fixture: undefined,
    onEvent: () => undefined,
  });
}

/** Every file of a state directory with its bytes. */
function everything(name: string): ReadonlyMap<string, string> {
  const { dir } = layout(name);
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path, readFileSync(path, "base64")]));
}

const leafOf = (name: string, component: string) =>
  new X509Certificate(readFileSync(join(layout(name).secretsDir, component, "tls.crt")));

beforeAll(async () => {
  await prepare("cluster", "kubernetes", "plant-north");
  await prepare("machine", "docker");
}, 60_000);

describe("the secret store of a deployment in a cluster", () => {
  it.each(["backend", "database"])("has a leaf of %s for the name that its clients connect to", (component) => {
    const deployment = deploymentOf("kubernetes", "plant-north");
    const { host, servername } = kubernetesPlacement(deployment).endpoint(component, "");
    const leaf = leafOf("cluster", component);
    expect([host, servername].map((name) => leaf.checkHost(name, { subject: "never" }))).toEqual([host, servername]);
    expect(leaf.checkHost(`${component}.plant-south.svc`)).toBeUndefined();
    expect(leaf.checkHost("other.plant-north.svc")).toBeUndefined();
  });

  it("has no such name where no cluster runs it", () => {
    expect(leafOf("machine", "backend").subjectAltName).toBe(
      "DNS:backend.acme.trustkern.internal, IP Address:127.0.0.1",
    );
  });

  it("is taken as it is by the same namespace, and by the same engine", async () => {
    await prepare("cluster", "kubernetes", "plant-north");
    await prepare("machine", "docker");
  });

  it.each([
    ["cluster", "kubernetes", "plant-south", /"plant-north" of a cluster.*"plant-south"/],
    ["cluster", "docker", undefined, /"plant-north" of a cluster.*an engine without a cluster/],
    ["cluster", "embedded", undefined, /"plant-north" of a cluster.*an engine without a cluster/],
    ["machine", "kubernetes", "plant-north", /an engine without a cluster.*"plant-north"/],
  ] as const)("of a %s is refused on %s, namespace %s, and not touched", async (name, engine, namespace, message) => {
    const before = everything(name);
    const thrown = await prepare(name, engine, namespace).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(TrustKernError);
    expect(thrown).toMatchObject({ code: "AUTHORITY_NAMESPACE", exit: 5, message: expect.stringMatching(message) });
    expect((thrown as TrustKernError).fix).toContain("certs rotate --what intermediate:services");
    expect(everything(name)).toEqual(before);
  });

  it("is nobody's before its authorities are made", () => {
    expect(() => assertMadeFor(layout("nothing").authoritiesDir, "plant-north")).not.toThrow();
  });
});
