import { describe, expect, it } from "vitest";
import { planKubernetes } from "../../../../stacks/kubernetes/plan.ts";
import { deploymentOf, KUBERNETES_FILES, testPlan } from "../../../../stacks/kubernetes/test-deployments.ts";
import { checksOf } from "../../checks.ts";
import { verifyObjects } from "./index.ts";

const { plan, model, deployment, images } = testPlan(deploymentOf(KUBERNETES_FILES["eu-hosted"]));
// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with an editor could
type Loose = any;
const subject = { plan, model, deployment, images, live: [] };
const breach = (code: string) => ({ code, path: "Pod/x", message: "is there", fix: "remove it" });

/** What is not proven where the objects are other ones, with the codes of its findings. */
function told(weaken: (objects: Loose[]) => void) {
  const objects = structuredClone(plan.objects) as Loose[];
  weaken(objects);
  return Object.fromEntries(
    verifyObjects({ ...subject, plan: { ...plan, objects } })
      .filter(({ outcome }) => outcome !== "proven")
      .map(({ id, outcome, findings }) => [id, [outcome, ...new Set(findings.map(({ code }) => code))]]),
  );
}
const of = (objects: Loose[], kind: string, name: string) =>
  objects.find((one) => one.kind === kind && one.metadata.name === name);
const podOf = (objects: Loose[], name: string) => of(objects, "StatefulSet", name).spec.template.spec;

it("proves what is rendered, with one result for each check, in their order", () => {
  expect(told(() => undefined)).toEqual({});
  expect(verifyObjects(subject).map(({ id }) => id)).toEqual(checksOf("rendered"));
});

describe("a breach belongs to one check", () => {
  it.each<[string, (objects: Loose[]) => void, Record<string, readonly string[]>]>([
    [
      "a policy that lets everybody in",
      (all) => {
        of(all, "NetworkPolicy", "default-deny").spec.ingress = [{}];
      },
      { "rendered.networks": ["broken", "OBJECT_POLICY"] },
    ],
    [
      "a policy less",
      (all) => {
        all.splice(
          all.findIndex(({ kind }) => kind === "NetworkPolicy"),
          1,
        );
      },
      { "rendered.networks": ["broken", "OBJECT_POLICY"] },
    ],
    [
      "another label",
      (all) => {
        podOf(all, "broker");
        of(all, "StatefulSet", "broker").spec.template.metadata.labels["trustkern.component"] = "x";
      },
      { "rendered.networks": ["broken", "OBJECT_LABEL"] },
    ],
    [
      "a port that is handed out",
      (all) => {
        of(all, "Service", "database").spec.type = "NodePort";
      },
      { "rendered.ports": ["broken", "OBJECT_SERVICE"] },
    ],
    [
      "a folder of the node",
      (all) => {
        podOf(all, "broker").volumes.push({ name: "n", hostPath: { path: "/" } });
      },
      { "rendered.mounts": ["broken", "OBJECT_MOUNT"] },
    ],
    [
      "another configuration",
      (all) => {
        const map = all.find(({ kind }) => kind === "ConfigMap");
        map.data[Object.keys(map.data)[0] ?? ""] = "{}";
      },
      { "rendered.mounts": ["broken", "OBJECT_CONFIG"] },
    ],
    [
      "a right",
      (all) => {
        podOf(all, "broker").containers[0].securityContext.privileged = true;
      },
      { "rendered.rights": ["broken", "OBJECT_SECURITY"] },
    ],
    [
      "a token",
      (all) => {
        podOf(all, "broker").automountServiceAccountToken = true;
      },
      { "rendered.rights": ["broken", "OBJECT_TOKEN"] },
    ],
    [
      "another program",
      (all) => {
        podOf(all, "broker").containers[0].command = ["sh"];
      },
      { "rendered.rights": ["broken", "OBJECT_COMMAND"] },
    ],
    [
      "a Secret",
      (all) => {
        all.push({ apiVersion: "v1", kind: "Secret", metadata: { name: "s" } });
      },
      { "rendered.secrets": ["broken", "OBJECT_SECRET"] },
    ],
    [
      "another image",
      (all) => {
        podOf(all, "broker").containers[0].image = "x:1";
      },
      { "rendered.images": ["broken", "OBJECT_IMAGE"] },
    ],
    [
      "more memory",
      (all) => {
        podOf(all, "broker").containers[0].resources.limits.memory = "9Gi";
      },
      { "rendered.limits": ["broken", "OBJECT_LIMIT"] },
    ],
    [
      "one that is ill unseen",
      (all) => {
        podOf(all, "broker").containers[0].readinessProbe = undefined;
      },
      { "rendered.limits": ["broken", "OBJECT_HEALTH"] },
    ],
    [
      "an object that is nobody's",
      (all) => {
        all.push({ apiVersion: "v1", kind: "Role", metadata: { name: "r" } });
      },
      { "rendered.engine": ["broken", "OBJECT_KIND"] },
    ],
  ])("%s", (_, weaken, wanted) => {
    expect(told(weaken)).toEqual(wanted);
  });
});

it("proves nothing of objects that cannot be read", () => {
  const seen = told((all) => {
    all.push(7);
  });
  expect(seen["rendered.engine"]).toEqual(["broken", "OBJECT_SHAPE"]);
  expect(seen["rendered.mounts"]).toEqual(["not-proven"]);
});

it("finds what the cluster has otherwise", () => {
  const result = verifyObjects({ ...subject, live: [breach("OBJECT_STRANGER")] }).at(-1);
  expect(result).toMatchObject({ id: "rendered.deployed", outcome: "broken", findings: [{ code: "OBJECT_STRANGER" }] });
});

it("proves nothing of a cluster that could not be asked", () => {
  const result = verifyObjects({ ...subject, live: { why: breach("CLUSTER_UNREACHABLE") } }).at(-1);
  expect(result).toMatchObject({ id: "rendered.deployed", outcome: "not-proven" });
});

it("proves no image that the lock has no digest of", () => {
  const unlocked = Object.fromEntries(
    Object.entries(images.images).map(([name, { reference }]) => [name, { reference }]),
  );
  const bundled = { source: "bundle", images: unlocked } as const;
  const results = verifyObjects({ ...subject, plan: testBundled(bundled), images: bundled });
  expect(results.find(({ id }) => id === "rendered.images")).toMatchObject({
    outcome: "not-proven",
    findings: [{ code: "IMAGES_NOT_LOCKED" }],
  });
});

function testBundled(pins: Parameters<typeof planKubernetes>[1]["images"]) {
  return planKubernetes(model, { deployment, images: pins });
}
