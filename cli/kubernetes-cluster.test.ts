import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { renderImageLock } from "../operations/images/lock-file.ts";
import { referenceOf } from "../operations/images/lock-images.ts";
import { writeState } from "../stacks/host/state.ts";
import { TestApiServer } from "../stacks/kubernetes/life/test-api-server.ts";
import { deployedCluster, roomyCluster, tenantPlan } from "../stacks/kubernetes/life/test-cluster.ts";
import { KUBERNETES_FILES } from "../stacks/kubernetes/test-deployments.ts";
import { runCli } from "./test-io.ts";

const server = new TestApiServer(roomyCluster());
let cwd: string;
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
  server.reset(roomyCluster());
  cwd = mkdtempSync(join(tmpdir(), "tk-cluster-cli-"));
  writeFileSync(join(cwd, "trustkern.yaml"), stringify(KUBERNETES_FILES["customer-tenant"]));
  const { deployment, images } = tenantPlan();
  const digest = `sha256:${"a".repeat(64)}`;
  const names = Object.keys(images.images);
  const locked = names.map((name) => [name, { reference: referenceOf(deployment.images, name, "1.0.0"), digest }]);
  writeFileSync(
    join(cwd, "images.lock.yaml"),
    renderImageLock({ source: "registry", images: Object.fromEntries(locked) }),
  );
});
afterEach(() => rmSync(cwd, { recursive: true }));

const run = (argv: readonly string[], file = server.kubeconfig()) =>
  runCli(argv, { cwd, env: { PATH: cwd, HOME: cwd, KUBECONFIG: file } });
const json = async (argv: readonly string[], file?: string) => {
  const { exit, stdout, stderr } = await run([...argv, "--json"], file);
  expect(stdout + stderr).not.toContain(server.token);
  return { exit, ...JSON.parse(stdout) };
};
const writes = () =>
  server.heard.filter(({ method, query }) => !["GET", "POST"].includes(method) && !query.has("dryRun"));
/** What a deploy leaves in the state directory that says that there was one. */
function remember(): void {
  mkdirSync(join(cwd, ".trustkern"));
  const state = { schema: "trustkern.kubernetes-state/1", tenant: "acme", createdAt: "2026-01-01T00:00:00Z" } as const;
  writeState(join(cwd, ".trustkern", "deployment.json"), { ...state, ports: {}, volumes: [] });
}

describe("plan of a cluster", () => {
  it("says what a deploy would make, changes nothing, and keeps no file", async () => {
    const { exit, changes, namespace, planFile } = await json(["plan"]);
    expect([exit, namespace, planFile]).toEqual([0, "plant", null]);
    expect(changes).toContainEqual({ action: "create", kind: "Namespace", name: "plant" });
    expect(writes()).toEqual([]);
  });

  it("ends with 7 where something would change, and 0 where nothing would", async () => {
    expect((await run(["plan", "--detailed-exitcode"])).exit).toBe(7);
    for (const object of (await json(["export", "kubernetes"])).objects) server.cluster.put(object);
    expect((await run(["plan", "--detailed-exitcode"])).exit).toBe(0);
    server.cluster.edit("/api/v1/namespaces/plant/services/backend", (live: { spec: { type: string } }) => {
      live.spec.type = "NodePort";
    });
    expect((await json(["plan"])).changes).toEqual([{ action: "update", kind: "Service", name: "backend" }]);
  });

  it("is the same as deploy --dry-run, Secrets left out", async () => {
    const { planFile: _, ...plan } = await json(["plan"]);
    expect(await json(["deploy", "--dry-run"])).toEqual(plan);
    expect(plan.changes.map(({ kind }: { kind: string }) => kind)).not.toContain("Secret");
    expect(writes()).toEqual([]);
  });
});

describe("a command on a cluster is refused", () => {
  it.each<readonly [readonly string[], string]>([
    [["deploy", "--timeout", "0"], "--timeout"],
    [["deploy", "--timeout", "-5"], "--timeout"],
    [["deploy", "--timeout", "10s"], "--timeout"],
    [["deploy", "--timeout", "1.5"], "--timeout"],
    [["deploy", "--timeout", "100000"], "--timeout"],
    [["deploy", "--timeout", "", "--dry-run"], "--timeout"],
    [["deploy", "plan.json"], "PLAN"],
    [["deploy", "--start-key", "root-device"], "--start-key"],
    [["deploy", "--passphrase-file", "words"], "--passphrase-file"],
    [["plan", "--out", "plan.json"], "--out"],
  ])("%j, before anybody is asked", async (argv, path) => {
    const { exit, error } = await json(argv);
    expect([exit, error.code, error.path]).toEqual([2, "CLI_USAGE", path]);
    expect(error.fix).not.toBe("");
    expect(server.heard).toEqual([]);
  });

  it.each(["--timeout=9", "--applied-elsewhere"])("the other way round: %s of the engine docker", async (flag) => {
    writeFileSync(
      join(cwd, "trustkern.yaml"),
      stringify({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" }),
    );
    const { exit, error } = await json(["deploy", flag]);
    expect([exit, error.code, error.path]).toEqual([2, "CLI_USAGE", flag.split("=")[0]]);
  });

  it.each([`--signer=${"0".repeat(64)}`, "--systemd"])("keys unseal %s, which belongs to a host", async (flag) => {
    remember();
    const { exit, error } = await json(["keys", "unseal", flag]);
    expect([exit, error.code, error.path]).toEqual([2, "DOCKER_ENGINE_ONLY", flag.split("=")[0]]);
    expect(server.heard).toEqual([]);
  });

  it.each([["status"], ["destroy", "--yes"], ["keys", "unseal"], ["keys", "seal", "--yes"], ["certs", "list"]])(
    "%s %s where nothing was deployed, with what brings it up",
    async (...argv) => {
      const { exit, error } = await json(argv);
      expect([exit, error.code]).toEqual([6, "NOT_DEPLOYED"]);
      expect(error.fix).toContain("trustkern deploy");
      expect(server.heard).toEqual([]);
    },
  );

  it.each([["plan"], ["deploy"], ["status"], ["destroy", "--yes"], ["keys", "unseal"], ["certs", "list"]])(
    "%s %s without a kubeconfig, with its path",
    async (...argv) => {
      remember();
      const { exit, error } = await json(argv, join(cwd, "nowhere"));
      expect([exit, error.code, error.path]).toEqual([2, "KUBECONFIG_INVALID", join(cwd, "nowhere")]);
      expect(error.fix).toContain("KUBECONFIG");
    },
  );

  it.each([["plan"], ["status"], ["destroy", "--yes"]])(
    "%s %s of a user that the cluster does not know",
    async (...argv) => {
      remember();
      const { exit, error } = await json(argv, server.kubeconfig(server.config({ token: "old-token" }), "old"));
      expect([exit, error.code]).toEqual([3, "CLUSTER_DENIED"]);
      expect(JSON.stringify(error)).not.toContain("old-token");
      expect(writes()).toEqual([]);
    },
  );

  it("destroy, where nobody can be asked", async () => {
    remember();
    expect(await json(["destroy"])).toMatchObject({ exit: 2, error: { code: "CONFIRMATION_NEEDED" } });
    expect(writes()).toEqual([]);
  });

  it("destroy --volumes of who may not delete the namespace, before the first object goes", async () => {
    remember();
    server.cluster = deployedCluster(tenantPlan());
    server.cluster.lacks.add("delete namespaces");
    const there = server.cluster.objects.size;
    expect(await json(["destroy", "--yes", "--volumes"])).toMatchObject({
      exit: 3,
      error: { code: "CLUSTER_DENIED", message: 'this user may not, in namespace "plant": delete namespaces' },
    });
    expect([writes(), server.cluster.objects.size]).toEqual([[], there]);
  });

  it("destroy, naming the cluster that it would be of", async () => {
    remember();
    const { error } = await json(["destroy", "--volumes"]);
    expect(error.message).toMatch(/namespace "plant" of context "plant" \(https:\/\/127\.0\.0\.1:\d+\)/);
  });

  it.each([["plan"], ["deploy"], ["destroy", "--yes"], ["destroy", "--yes", "--volumes"]])(
    "%s %s %s of a namespace that was made anew, or is in another cluster",
    async (...argv) => {
      remember();
      const uid = "11111111-2222-3333-4444-555555555555";
      const record = { schema: "trustkern.kubernetes-namespace/1", namespace: "plant", uid };
      writeFileSync(join(cwd, ".trustkern", "namespace.json"), JSON.stringify(record));
      for (const cluster of [roomyCluster(), deployedCluster(tenantPlan())]) {
        server.reset(cluster);
        const { exit, error } = await json(argv);
        expect([exit, error.code]).toEqual([4, "CLUSTER_OTHER"]);
        expect(error.message).toContain(uid);
        expect([writes(), existsSync(join(cwd, ".trustkern", "deployment.json"))]).toEqual([[], true]);
      }
    },
  );

  it("destroy of a namespace that is somebody else's", async () => {
    remember();
    server.cluster.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "plant" } });
    expect(await json(["destroy", "--yes", "--volumes"])).toMatchObject({
      exit: 4,
      error: { code: "NAMESPACE_FOREIGN" },
    });
    expect(writes()).toEqual([]);
  });
});

describe("destroy of a cluster", () => {
  it("says what goes, and leaves the namespace to who keeps volumes", async () => {
    remember();
    const names = async (...more: readonly string[]) => {
      const { changes } = await json(["destroy", "--dry-run", ...more]);
      return changes.map(({ kind }: { kind: string }) => kind);
    };
    expect(await names()).not.toContain("Namespace");
    expect(await names()).toContain("Secret");
    expect(await names("--volumes")).toContain("Namespace");
    expect(await json(["destroy", "--dry-run"])).toMatchObject({
      namespace: "plant",
      cluster: { context: "plant", server: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/) },
    });
    expect((await run(["destroy", "--dry-run"])).stdout).toMatch(
      /^in namespace "plant" of context "plant" \(https:\/\/127\.0\.0\.1:\d+\):\n- /,
    );
    expect(server.heard).toEqual([]);
  });

  it("removes what is the deployment's and leaves what is not, claims and namespace, and is done the second time", async () => {
    remember();
    server.cluster = deployedCluster(tenantPlan());
    const place = { namespace: "plant" };
    for (const name of ["collector", "theirs"])
      server.cluster.put({ apiVersion: "v1", kind: "Secret", metadata: { name, ...place } });
    server.cluster.put({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "volume-data", ...place },
    });
    expect(await json(["destroy", "--yes"])).toMatchObject({ exit: 0, kept: true });
    const left = [...server.cluster.objects.keys()].filter((path) => path.includes("/namespaces/plant"));
    expect(left.sort()).toEqual(
      ["", "/persistentvolumeclaims/volume-data", "/secrets/theirs"].map((path) => `/api/v1/namespaces/plant${path}`),
    );
    expect(await json(["destroy", "--yes"])).toMatchObject({ exit: 0, removed: 0 });
  });

  it("that loses the API server keeps the state directory, so that the next one ends it", async () => {
    remember();
    server.cluster = deployedCluster(tenantPlan());
    let left = 10;
    server.instead = ({ method }) => (method === "DELETE" && left-- <= 0 ? "cut" : undefined);
    expect(await json(["destroy", "--yes", "--volumes"])).toMatchObject({
      exit: 4,
      error: { code: "CLUSTER_UNREACHABLE" },
    });
    server.instead = () => undefined;
    expect(await json(["destroy", "--yes", "--volumes"])).toMatchObject({ exit: 0, kept: false });
    expect(server.cluster.objects.has("/api/v1/namespaces/plant")).toBe(false);
    expect(await json(["destroy", "--yes"])).toMatchObject({ exit: 6, error: { code: "NOT_DEPLOYED" } });
  });
});
