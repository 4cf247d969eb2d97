import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { copyCustomerTenant } from "../test/support/customer-tenant.ts";
import { runCli } from "./test-io.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of Argo CD and Flux, of which there are no types here
type Loose = any;

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "tk-customer-tenant-"));
  copyCustomerTenant(cwd);
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** No cluster, no network, no programs: what runs here needs none of them. */
const run = (...argv: string[]) => runCli(argv, { cwd, env: { PATH: cwd } });
const documents = (file: string): Loose[] =>
  parseAllDocuments(readFileSync(join(cwd, "gitops", file), "utf8")).map((document) =>
    "toJS" in document ? document.toJS() : undefined,
  );
const ofKind = (file: string, kind: string): Loose => documents(file).find((object) => object.kind === kind);

/** The objects of the export, as its plan has them. */
const planned = async (): Promise<Loose[]> => JSON.parse((await run("export", "kubernetes", "--json")).stdout).objects;

it("is a deployment of the profile and the engine that it is an example of", async () => {
  const { exit, stdout } = await run("config", "show", "--json");
  expect(exit).toBe(0);
  const { deployment } = JSON.parse(stdout);
  expect(deployment).toMatchObject({ profile: "customer-tenant", engine: "kubernetes" });
  expect(deployment.kubernetes.collector).toEqual({ min: 2, max: 2 });
  expect(deployment.custody.owner).toBe("customer");
});

it("breaks nothing of the model's layer of the boundary", { timeout: 60_000 }, async () => {
  const { results } = JSON.parse((await run("verify", "boundary", "--layers", "model", "--json")).stdout);
  const model = results.filter(({ id }: { id: string }) => id.startsWith("model."));
  expect(model.length).toBeGreaterThan(0);
  expect(model.filter(({ outcome }: { outcome: string }) => outcome !== "proven")).toEqual([]);
});

it("names no host that somebody could have: names and addresses are reserved ones, but for the KMS", () => {
  const folder = join("examples", "customer-tenant");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ya?ml|ts)$/.test(name));
  expect(files.length).toBeGreaterThan(4);
  for (const name of files) {
    const text = readFileSync(join(folder, name), "utf8");
    const hosts = text.match(/\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|eu)\b(?![:/]v\d|\/(?:instance|prune))/g) ?? [];
    const known =
      /(?:^|\.)example\.com$|^kms\.eu-central-1\.amazonaws\.com$|^(?:argoproj|argocd\.argoproj|networking\.k8s|pulumi|[a-z.]*fluxcd)\.(?:io|com)$/;
    expect(
      hosts.filter((host) => !known.test(host)),
      name,
    ).toEqual([]);
  }
});

describe("its GitOps folder", () => {
  /** Where `gitops/README` of the example says that the export goes. */
  const MANIFESTS = join("gitops", "manifests");

  it("is written by the export, object by object as it is planned, with nothing else in it", async () => {
    const { exit, stdout } = await run("export", "kubernetes", "-o", MANIFESTS, "--json");
    expect(exit).toBe(0);
    const { files } = JSON.parse(stdout);
    expect(readdirSync(join(cwd, MANIFESTS)).sort()).toEqual(files);
    const written = files.map((name: string) => parse(readFileSync(join(cwd, MANIFESTS, name), "utf8")));
    const objects = await planned();
    expect(objects.length).toBeGreaterThan(30);
    expect(written).toEqual(objects);
    expect(existsSync(join(cwd, ".trustkern"))).toBe(false);
  });

  it("is where Argo CD and Flux look", () => {
    const argo = ofKind("argo-cd.yaml", "Application").spec.source;
    const flux = ofKind("flux.yaml", "Kustomization").spec;
    expect(argo.path).toBe(MANIFESTS);
    expect(flux.path).toBe(`./${MANIFESTS}`);
    expect(basename(argo.path)).toBe(basename(MANIFESTS));
    expect(flux.sourceRef).toEqual({ kind: "GitRepository", name: ofKind("flux.yaml", "GitRepository").metadata.name });
    expect(ofKind("flux.yaml", "GitRepository").spec.url).toBe(argo.repoURL);
  });

  it("holds no object that Argo CD or Flux would take for one of the deployment", async () => {
    const kinds = new Set((await planned()).map(({ kind }) => kind));
    for (const file of ["argo-cd.yaml", "flux.yaml"]) {
      for (const { kind } of documents(file)) expect(kinds.has(kind)).toBe(false);
    }
  });

  it("lets Argo CD make every kind of object of the export in the deployment's namespace, and no other", async () => {
    const { clusterResourceWhitelist, namespaceResourceWhitelist, destinations, sourceRepos } = ofKind(
      "argo-cd.yaml",
      "AppProject",
    ).spec;
    const objects = await planned();
    const id = ({ group, kind }: Loose) => `${group}/${kind}`;
    const groupOf = (apiVersion: string) => (apiVersion.includes("/") ? apiVersion.split("/")[0] : "");
    const wanted = objects.map(({ apiVersion, kind }) => id({ group: groupOf(apiVersion), kind }));
    expect(clusterResourceWhitelist.map(id)).toEqual(["/Namespace"]);
    const allowed = [...clusterResourceWhitelist, ...namespaceResourceWhitelist].map(id);
    // Deployments and autoscalers come with other settings of the same file.
    const later = ["apps/Deployment", "autoscaling/HorizontalPodAutoscaler"];
    expect(allowed.filter((each) => !later.includes(each)).sort()).toEqual(
      [...new Set(wanted)].filter((each) => !later.includes(each)).sort(),
    );
    expect(allowed).toEqual(expect.arrayContaining([...later, ...wanted]));
    expect(allowed).not.toContain("/Secret");
    const { spec, metadata } = ofKind("argo-cd.yaml", "Application");
    expect(destinations).toEqual([spec.destination]);
    expect(spec.destination.namespace).toBe(objects[0].metadata.name);
    expect(sourceRepos).toEqual([spec.source.repoURL]);
    expect(spec.project).toBe(ofKind("argo-cd.yaml", "AppProject").metadata.name);
    // Argo CD writes its name into the label that says the instance.
    expect(metadata.name).toBe(objects[0].metadata.labels["app.kubernetes.io/instance"]);
  });

  it("lets neither delete the namespace by itself, and with it claims and Secrets", async () => {
    const [namespace, ...others] = await planned();
    expect([namespace.kind, namespace.metadata.annotations]).toEqual([
      "Namespace",
      {
        "argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
      },
    ]);
    for (const { metadata } of others) expect(Object.keys(metadata.annotations ?? {})).toEqual([]);
  });

  it("has both delete what is no more: a policy that stays would let through what no flow says", () => {
    const { automated, syncOptions } = ofKind("argo-cd.yaml", "Application").spec.syncPolicy;
    expect(automated).toEqual({ prune: true, selfHeal: true });
    // An option of the whole application, such as Prune=confirm, would hold every deletion until somebody comes.
    expect(syncOptions).toEqual(["ServerSideApply=true"]);
    const { prune, patches } = ofKind("flux.yaml", "Kustomization").spec;
    expect([prune, patches]).toEqual([true, undefined]);
  });
});
