import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Management } from "../../../custody/proto/custody_pb.ts";
import { managementHandlers } from "../../../services/custody/management.ts";
import { type TestKeys, testKeys } from "../../../services/custody/test-keys.ts";
import { createGrpcServer } from "../../../services/runtime/grpc/server.ts";
import { serveUnix } from "../../../services/runtime/grpc/unix.ts";
import type { AskPassphrase } from "../../host/trust/unseal.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { deployedCluster, type TestCluster, tenantPlan } from "./test-cluster.ts";
import { madePod, type PodChange } from "./test-pods.ts";
import { unsealAll } from "./unseal-all.ts";

const test = tenantPlan();
const SET = "/apis/apps/v1/namespaces/plant/statefulsets/custody";
let dir: string;
let keys: TestKeys;
let storeIsNew: boolean | undefined;
let stop: () => Promise<void>;
let made: TestCluster;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-ua-"));
});
afterAll(() => rmSync(dir, { recursive: true }));
beforeEach(async () => {
  keys = testKeys();
  storeIsNew = undefined;
  const management = createGrpcServer({ maxMessageBytes: 65_536 });
  management.add(
    Management,
    managementHandlers(keys.custodian, () => storeIsNew),
  );
  stop = await serveUnix(management, join(dir, "custody"));
  made = deployedCluster(test);
  revision("new", 1);
  pod("new");
});
afterEach(() => stop());

/** What the controller of custody's workload says of it. */
function revision(updateRevision: string, observedGeneration: number): void {
  made.edit(SET, (live: { metadata: object; status: object }) => {
    live.metadata = { ...live.metadata, generation: 1 };
    live.status = { observedGeneration, updateRevision, currentRevision: updateRevision };
  });
}
/** The pod of custody, as its controller made it. */
function pod(revisionOf: string, more: PodChange = {}): void {
  made.put(madePod(made, test.plan, "custody-0", { revision: revisionOf, ...more }));
}
const unsealed: string[] = [];
async function unseal(
  limitMs = 0,
  passphrase?: AskPassphrase,
  signal = new AbortController().signal,
): Promise<unknown> {
  unsealed.length = 0;
  const layout = { dir, logsDir: dir };
  const cluster = { api: made.api, plan: test.plan, model: test.model, options: test, layout } as never;
  const forwards = { replica: (component: string) => join(dir, component) } as never;
  const onUnsealed = (name: string): void => void unsealed.push(name);
  const order = { actor: "trustkern deploy", clock: () => new Date(), limitMs, signal, passphrase, onUnsealed };
  return unsealAll({ cluster, forwards, ...order }).catch((thrown: unknown) => thrown);
}
const isSealed = () => keys.custodian.opened() === null;

describe("custody in a cluster", () => {
  it("is unsealed where everything is as planned, under the name of who asks", async () => {
    expect(await unseal()).toBeUndefined();
    expect([isSealed(), unsealed]).toEqual([false, ["custody-0"]]);
    expect(keys.events).toMatchObject([{ kind: "CUSTODY_UNSEALED", actor: "trustkern deploy" }]);
  });

  it.each([
    ["once for a store that is there", false],
    ["as a new one for a store that it makes", true],
  ])("has its passphrase asked for %s, by custody's word and not by this machine's files", async (_, isNew) => {
    storeIsNew = isNew;
    const heard: boolean[] = [];
    const ask = async (said: boolean) => {
      heard.push(said);
      return Buffer.from("correct horse");
    };
    expect(await unseal(0, ask)).toBeUndefined();
    expect([heard, keys.passphrases]).toEqual([[isNew], ["correct horse"]]);
    // The second deploy finds it unsealed, and asks nobody.
    expect(await unseal(0, ask)).toBeUndefined();
    expect(heard).toHaveLength(1);
  });

  it.each<readonly [string, () => void]>([
    [
      "something is there that nobody planned",
      () =>
        made.put({
          apiVersion: "v1",
          kind: "Pod",
          status: { phase: "Running" },
          metadata: { name: "theirs", namespace: "plant" },
        }),
    ],
    [
      "a policy is gone",
      () => void made.objects.delete([...made.objects.keys()].find((path) => path.includes("/default-deny")) ?? ""),
    ],
    [
      "its own pod runs something else",
      () => pod("new", { spec: { containers: [{ name: "custody", image: "evil" }] } }),
    ],
  ])("stays sealed where %s", async (_, spoil) => {
    spoil();
    expect(await unseal()).toMatchObject({ code: "CUSTODY_START_REFUSED", exit: 5 });
    expect([isSealed(), unsealed, keys.passphrases]).toEqual([true, [], []]);
  });

  it.each<readonly [string, () => void]>([
    ["its pod is of the version before", () => pod("old")],
    ["its controller has not looked at it", () => revision("new", 0)],
    ["its pod waits", () => pod("new", { status: { phase: "Pending" } })],
    ["its workload is not there", () => void made.objects.delete(SET)],
  ])("is asked nothing where %s, and the wait ends with that", async (_, spoil) => {
    spoil();
    expect(await unseal()).toMatchObject({
      ...{ code: "WORKLOAD_TIMEOUT", exit: 9, path: "custody" },
      message: "custody is not unsealed after 0 s: 0 of 1 are of this version",
    });
    expect(isSealed()).toBe(true);
  });

  it("is waited for while it does not answer, and the end says so", async () => {
    await stop();
    expect(await unseal()).toMatchObject({
      code: "WORKLOAD_TIMEOUT",
      message: expect.stringContaining("does not run"),
    });
    stop = async () => undefined;
  });

  it.each(["CLUSTER_UNREACHABLE", "CLUSTER_CREDENTIAL"] as const)(
    "is waited for while the API server says %s, and the end says that",
    async (code) => {
      const away = kubernetesLifeErrors.error(code, "away");
      const get = vi.spyOn(made.api, "get").mockRejectedValue(away);
      expect(await unseal(600)).toBe(away);
      expect(get.mock.calls.length).toBeGreaterThan(1);
      expect(isSealed()).toBe(true);
    },
  );

  it("that refuses the order ends the wait at once, with its own word", async () => {
    keys.openFails = new Error("a bug");
    expect(await unseal(60_000)).toMatchObject({ code: expect.not.stringMatching(/WORKLOAD_TIMEOUT/) });
    expect(isSealed()).toBe(true);
  });

  it("stays sealed where somebody interrupts", async () => {
    expect(await unseal(60_000, undefined, AbortSignal.abort())).toMatchObject({ code: "DEPLOY_CANCELLED" });
    expect(isSealed()).toBe(true);
  });
});
