import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Generation } from "../../custody/generation.ts";
import { renderState } from "../../custody/keyring/state.ts";
import { type TestKeys, testGeneration, testKeys } from "../../services/custody/test-keys.ts";
import { type Layout, layoutOf } from "../../stacks/host/layout.ts";
import { KUBERNETES_FILES } from "../../stacks/kubernetes/test-deployments.ts";
import { runCli } from "../test-io.ts";
import { serveManagement } from "../test-management.ts";

vi.mock("./certs-context.ts", () => ({ certsSite: async () => ({ layout, clock: () => new Date(0) }) }));

let cwd: string;
let layout: Layout;
let keys: TestKeys;
let stateFile: string;
let closeCustody: () => Promise<void>;

const list = async (...argv: string[]) => (await runCli(["keys", "list", ...argv], { cwd })).stdout;
const overview = async () => JSON.parse(await list("--json"));

/** Writes a state as custody left it, with this generation alone. */
function leave(generation: Generation): void {
  const { keyId, publicKey } = testGeneration();
  const state = { version: 1, tenant: "demo", importKey: { keyId, publicKey }, generations: [generation] };
  mkdirSync(dirname(stateFile), { recursive: true });
  writeFileSync(stateFile, renderState(state));
}

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "tk-l-"));
  layout = layoutOf(join(cwd, ".trustkern"), tmpdir());
  stateFile = join(layout.volumesDir, "custody", "state", "generations.json");
  keys = testKeys();
  closeCustody = await serveManagement(cwd, keys);
});
afterEach(async () => {
  await closeCustody();
  rmSync(cwd, { recursive: true });
});

describe("keys list", () => {
  it("shows what custody says of itself while it is unsealed, as verified", async () => {
    await keys.custodian.unseal("op-anna");
    leave(testGeneration());
    const { sealed, verified, generations } = await overview();
    expect([sealed, verified]).toEqual([false, true]);
    expect(generations).toMatchObject([{ keyId: keys.generation.keyId }]);
    expect(await list()).not.toContain("not verified");
  });

  it("says of what is in the state file that nobody verified it, while custody is sealed", async () => {
    const written = testGeneration();
    leave(written);
    const { sealed, verified, listed, generations } = await overview();
    expect([sealed, verified, listed]).toEqual([true, false, true]);
    expect(generations).toMatchObject([{ keyId: written.keyId }]);
    expect(await list()).toMatch(/^generations +not verified while sealed$/m);
  });

  it("says that it does not know them while custody is sealed in a cluster, whatever lies on this machine", async () => {
    await closeCustody();
    writeFileSync(join(cwd, "trustkern.yaml"), JSON.stringify(KUBERNETES_FILES["customer-tenant"]));
    closeCustody = await serveManagement(cwd, keys);
    leave(testGeneration());
    const { sealed, verified, listed, generations, unknown } = await overview();
    expect([sealed, verified, listed, generations]).toEqual([true, false, false, []]);
    expect(unknown).toContain("the generations: custody is sealed, and its files are in its pod");
    await keys.custodian.unseal("op-anna");
    expect(await overview()).toMatchObject({ listed: true, generations: [{ keyId: keys.generation.keyId }] });
  });

  it("shows times to the minute, and a rotation that waits for sensors in words", async () => {
    await keys.custodian.unseal("op-anna");
    const journal = {
      schema: "trustkern.key-rotation/1",
      startedAt: "2026-01-01T00:00:00.000Z",
      phase: "prove-use",
      keyId: keys.generation.keyId,
      publishedAt: "2026-01-01T00:00:00.000Z",
    };
    mkdirSync(join(layout.dir, "custody"), { recursive: true });
    writeFileSync(join(layout.dir, "custody", "rotation.json"), JSON.stringify(journal));
    const text = await list();
    expect(text).toMatch(/^rotation +to [0-9a-f]{16}, waits for sensors \(prove-use\)$/m);
    expect(text).toContain("2026-01-01 00:00 ");
  });

  it("says of a custody that does not run how it is brought up", async () => {
    await closeCustody();
    closeCustody = async () => undefined;
    const { code, message, fix } = (await overview()).error;
    expect([code, message]).toEqual([
      "GRPC_UNREACHABLE",
      "custody does not run: nobody answers at its management socket",
    ]);
    expect(fix).toContain("trustkern up");
  });

  it("refuses a state file that is none", async () => {
    leave(testGeneration());
    writeFileSync(stateFile, "{}");
    expect((await overview()).error).toMatchObject({ code: "CUSTODY_STATE_CORRUPT" });
  });
});
