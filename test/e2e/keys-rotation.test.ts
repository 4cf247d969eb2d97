import { spawn } from "node:child_process";
import { generateKeyPairSync, hash } from "node:crypto";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMPROMISE_STATEMENT } from "../../custody/compromise-statement.ts";
import { sealGenerationPackage } from "../../custody/package.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { dsseVerify } from "../../protocol/dsse.ts";
import { pinnedSigner } from "../../stacks/host/generations/signer-pin.ts";
import { CLI } from "../support/docker.ts";
import { type Rotating, rotating } from "../support/rotating.ts";
import type { Ended } from "../support/run.ts";

const RATE = 30;
/** A sensor is not silent by then: each sends every half second. */
const ROTATE = ["keys", "rotate", "--yes", "--overlap", "5s", "--wait", "2m"] as const;

interface Listed {
  readonly keyId: string;
  readonly state: string;
  readonly sensors: number;
}

let run: Rotating;
beforeAll(async () => {
  run = await rotating("embedded", RATE);
}, 180_000);
afterAll(() => run.stop(), 60_000);

const generations = async (): Promise<readonly Listed[]> =>
  JSON.parse((await run.cli(["keys", "list", "--json"])).stdout).generations;
const active = async (): Promise<string> => (await generations()).find(({ state }) => state === "active")?.keyId ?? "";
const states = async (): Promise<readonly string[]> => (await generations()).map(({ state }) => state);
const custody = (name: string): string => join(run.dir, "custody", name);

/** Runs the rotation, and kills it as soon as its journal was written so many times. Gives its exit code, null when it was killed. */
async function rotateAndDie(afterWrites: number): Promise<number | null> {
  let writes = 0;
  const child = spawn(process.execPath, [...CLI, "--dir", run.dir, ...ROTATE], { stdio: "ignore" });
  const watcher = watch(custody("."), (event, file) => {
    if (event !== "rename" || file !== "rotation.json") return;
    writes += 1;
    if (writes >= afterWrites) child.kill("SIGKILL");
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  watcher.close();
  return code;
}

describe("keys rotate, while messages flow", () => {
  it("is finished by the next run, whenever it is killed: old or new opens, and no message is lost", async () => {
    let deaths = 0;
    for (let writes = 1; writes < 5; writes += 1) {
      if ((await rotateAndDie(writes)) === 0) break;
      deaths += 1;
      expect((await states()).filter((state) => state === "active")).toHaveLength(1);
    }
    const done = existsSync(custody("rotation.json")) ? await run.cli(ROTATE) : { code: 0 };
    expect([deaths > 1, done.code]).toEqual([true, 0]);
    const [old, fresh, ...more] = await generations();
    expect([old?.state, fresh?.state, more]).toEqual(["retired", "active", []]);
    expect([old?.sensors, fresh?.sensors]).toEqual([0, 16]);
  }, 400_000);

  it("gives up waiting with exit code 9, and leaves the old one active, when the overlap is not over", async () => {
    const before = await active();
    const { code, stdout } = await run.cli(["keys", "rotate", "--yes", "--wait", "1s", "--json"]);
    expect([code, JSON.parse(stdout).done]).toEqual([9, false]);
    expect(await active()).toBe(before);
    expect((await run.cli(["keys", "rotate", "--due"])).code).toBe(0);
    expect(await active()).toBe(before);
    expect((await run.cli(ROTATE)).code).toBe(0);
    expect(await states()).toEqual(["retired", "retired", "active"]);
  }, 200_000);
});

describe("keys destroy", () => {
  const refused = (ended: Ended): unknown => [ended.code, JSON.parse(ended.stdout).error.code];

  it("refuses what is active, what is too young, and what is unknown", async () => {
    const [old] = await generations();
    const destroy = (keyId: string) => run.cli(["keys", "destroy", keyId, "--yes", "--json"]);
    expect(refused(await destroy(await active()))).toEqual([5, "KEYS_IN_USE"]);
    expect(refused(await destroy(old?.keyId ?? ""))).toEqual([5, "KEYS_DESTROY_EARLY"]);
    expect(refused(await destroy("00".repeat(8)))).toEqual([expect.any(Number), "CUSTODY_GENERATION_UNKNOWN"]);
    expect(await states()).toEqual(["retired", "retired", "active"]);
  }, 60_000);
});

describe("keys audit verify", () => {
  it("finds the log whole while custody writes it, and the head that was kept in it", async () => {
    const head = join(run.dir, "logs", "kept.head");
    expect((await run.cli(["keys", "audit", "verify", "--keep", head])).code).toBe(0);
    expect((await run.cli(["keys", "audit", "verify", "--kept-head", head])).code).toBe(0);
  }, 60_000);
});

it("every message that a sensor was told is stored is stored, after all these rotations", async () => {
  const result = await run.delivered();
  expect(result.acknowledged.length).toBeGreaterThan(RATE * 5);
  expect(result).toMatchObject({ wrong: [], quarantined: [], refused: 0 });
}, 120_000);

describe("keys import", () => {
  it("takes a ceremony's generation as the next one, once, and no package of another tenant", async () => {
    const { importKey } = JSON.parse((await run.cli(["keys", "list", "--json"])).stdout);
    const privateKey = generateKeyPairSync("x25519").privateKey.export({ format: "raw-private" });
    const take = async (tenant: string): Promise<Ended> => {
      const file = join(run.dir, "logs", `${tenant}.package`);
      const metadata = { tenant, createdAt: new Date().toISOString() };
      const sealed = sealGenerationPackage({ importKey: importKey.publicKey, privateKey, metadata });
      writeFileSync(file, sealed);
      return run.cli(["keys", "import", file, "--sha256", hash("sha256", sealed), "--json"]);
    };
    const { tenant } = defaultDeployment();
    const before = await states();
    expect(JSON.parse((await take("other")).stdout).error.code).toBe("CUSTODY_PACKAGE_FOREIGN");
    const file = join(run.dir, "logs", `${tenant}.package`);
    const another = ["keys", "import", file, "--sha256", "00".repeat(32), "--json"];
    const taken = JSON.parse((await take(tenant)).stdout);
    expect(JSON.parse((await run.cli(another)).stdout).error.code).toBe("KEYS_PACKAGE_DIFFERS");
    expect(taken).toMatchObject({ state: "next" });
    const { keyId, state } = taken;
    expect(JSON.parse((await take(tenant)).stdout)).toMatchObject({ keyId, state });
    expect(await states()).toEqual([...before, "next"]);
    expect((await run.cli(["keys", "destroy", taken.keyId, "--yes"])).code).toBe(0);
  }, 120_000);
});

describe("keys compromise", () => {
  it("has another generation active at once, blocks the old one, and leaves evidence that the pinned key signed", async () => {
    await run.control("simulator", "POST", "/run", { rate: RATE, total: null });
    const old = await active();
    const { code, stdout } = await run.cli([
      ...["keys", "compromise", old, "--reason", "a copy was found", "--yes", "--json"],
    ]);
    const { evidence, active: fresh } = JSON.parse(stdout);
    expect([code, await active()]).toEqual([0, fresh]);
    const said = dsseVerify(readFileSync(evidence, "utf8"), COMPROMISE_STATEMENT, pinnedSigner(run.dir));
    expect(JSON.parse(said.toString())).toMatchObject({
      generation: { keyId: old, state: "retired", compromised: { reason: "a copy was found", stored: "allow" } },
      active: fresh,
    });
    await expect
      .poll(async () => (await generations()).find(({ keyId }) => keyId === fresh)?.sensors, {
        timeout: 60_000,
        interval: 2_000,
      })
      .toBe(16);
  }, 120_000);
});
