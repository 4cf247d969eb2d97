import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CustodyManagement, custodyManagement } from "../../stacks/host/custody-management.ts";
import { type TestHost, testHost } from "../../stacks/host/trust/test-host.ts";
import { healthOf, type Unsealing, unsealChecked } from "../../stacks/host/trust/unseal.ts";
import { watchStarts } from "../../stacks/host/trust/watch.ts";
import { manage } from "./custody/asking.ts";
import { type CustodyProcesses, custodyProcesses, type Running } from "./custody/processes.ts";

let processes: CustodyProcesses;
let host: TestHost;
let management: CustodyManagement;
beforeEach(async () => {
  processes = custodyProcesses();
  host = testHost();
  await host.deploy();
  management = custodyManagement(processes.at("manage"));
});
afterEach(async () => {
  management.close();
  host.end();
  await processes.end();
});

const PASSPHRASE = randomBytes(32).toString("hex");
const order = (passphrase?: string): Unsealing => ({
  ...host.place,
  management,
  check: () => host.check(),
  passphrase: passphrase === undefined ? undefined : async () => Buffer.from(passphrase),
  actor: "cli:anna",
  clock: () => new Date(),
});
const sealed = async () => (await healthOf(management)).sealed;
const spoil = (user: string) => {
  host.containers.custody.Config.User = user;
};

async function start(changes: object = {}): Promise<Running> {
  const custody = processes.custody({ unseal: "on-order", ...changes });
  await processes.until("custody", false);
  return custody;
}

describe("custody that waits for a person", () => {
  const waiting = () => ({ keyStore: { kind: "file", folder: processes.at("keys") } });

  it("opens with the passphrase alone, after each start, and writes it nowhere", async () => {
    const custody = await start(waiting());
    expect(await healthOf(management)).toMatchObject({ sealed: true, sealedBecause: "started" });
    await expect(unsealChecked(order())).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_NEEDED" });
    expect(await unsealChecked(order(PASSPHRASE))).toMatchObject({ wasSealed: true, manifestVersion: 1 });
    expect(await sealed()).toBe(false);
    await custody.kill("SIGKILL");

    await start(waiting());
    const wrong = randomBytes(32).toString("hex");
    await expect(unsealChecked(order(wrong))).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_WRONG" });
    expect(await sealed()).toBe(true);
    await unsealChecked(order(PASSPHRASE));
    expect(await sealed()).toBe(false);

    for (const secret of [PASSPHRASE, wrong]) {
      expect(processes.written()).not.toContain(secret);
      for (const folder of ["keys", "state", "audit"]) {
        for (const file of readdirSync(processes.at(folder))) {
          expect(readFileSync(join(processes.at(folder), file)).includes(secret), file).toBe(false);
        }
      }
    }
  });

  it("is not asked for anything on a host that was changed", async () => {
    await start(waiting());
    spoil("0:0");
    await expect(unsealChecked(order(PASSPHRASE))).rejects.toMatchObject({ code: "CUSTODY_START_REFUSED" });
    expect(await sealed()).toBe(true);
    expect(readdirSync(host.at("logs"))).toEqual(["deploy.ndjson"]);
  });
});

describe("custody that is watched", () => {
  it("is unsealed after each start, unless the host was changed or somebody sealed it", async () => {
    const end = new AbortController();
    const refused: string[] = [];
    const told = { onUnsealed: () => undefined, onAway: () => undefined };
    const onRefused = ({ code }: { readonly code: string }): void => void refused.push(code);
    const watching = watchStarts(order(), { ...told, onRefused, signal: end.signal, lookMs: 50 });
    try {
      const first = processes.custody({ unseal: "on-order" });
      await processes.until("custody", true);

      await manage(processes.at("manage"), "seal", { reason: "a visit" });
      await sleep(500);
      expect(await healthOf(management)).toMatchObject({ sealed: true, sealedBecause: "ordered" });

      await first.kill("SIGKILL");
      spoil("0:0");
      await start();
      await expect.poll(() => refused, { timeout: 20_000 }).toEqual(["CUSTODY_START_REFUSED"]);
      expect(await sealed()).toBe(true);

      spoil("10001:10001");
      await processes.until("custody", true);
    } finally {
      end.abort();
      await watching;
    }
  });

  it("is not asked again where it refuses", async () => {
    const custody = await start();
    await unsealChecked(order());
    await custody.kill("SIGKILL");
    writeFileSync(processes.at("passphrase"), "f".repeat(64));
    await start();
    const nothing = () => undefined;
    const signal = new AbortController().signal;
    await expect(
      watchStarts(order(), { signal, lookMs: 50, onUnsealed: nothing, onRefused: nothing, onAway: nothing }),
    ).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_WRONG" });
    const refused = () => processes.written().match(/CUSTODY_UNSEAL_FAILED/g) ?? [];
    // Its log comes through a pipe, after its answer.
    await vi.waitFor(() => expect(refused()).not.toEqual([]), { timeout: 10_000 });
    await sleep(500);
    expect(refused()).toHaveLength(1);
  });
});
