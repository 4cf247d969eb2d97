import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLAT } from "../../operations/verify/search/archives.ts";
import { type Canary, needlesOf } from "../../operations/verify/search/needles.ts";
import { type Hit, searchFor } from "../../operations/verify/search/search.ts";
import type { Up } from "../../stacks/embedded/up.ts";
import { layoutOf } from "../../stacks/host/layout.ts";
import { readCanaries } from "../support/canary/secrets.ts";
import { scratch, upOptions, upProven } from "../support/deployment.ts";
import { hasGenerationKey, keyInMemory, memoriesOf } from "./custody-shown/memory.ts";

const RATE = 100;
/** Every process but custody's, and how often it is looked into. */
const OTHERS = [
  ["collector", 3],
  ["gw-01", 3],
  ["broker", 3],
  ["custody-broker", 3],
  ["database", 1],
  ["backend", 1],
  ["simulator", 1],
] as const;
/** What a process has a right to: where it is found, so is everything else that is there. */
const OWN: Readonly<Record<string, string>> = {
  collector: "secrets/collector/tls.key",
  "gw-01": "secrets/gw-01/tls.key",
  broker: "secrets/broker/tls.key",
};

const { dir, remove } = scratch("memory");
let run: Up;
let keys: readonly Canary[];
let find: (name: string) => Promise<readonly Hit[]>;

beforeAll(async () => {
  run = await upProven(upOptions(dir));
  await run.deployed.control("simulator", "POST", "/run", { rate: RATE, total: null });
  const canaries = await readCanaries(layoutOf(dir, tmpdir()));
  keys = canaries.filter(hasGenerationKey);
  const forms = keys.map(({ name, cores: [core] }) => keyInMemory(name, core?.bytes ?? Buffer.alloc(0)));
  const search = searchFor(needlesOf([...forms, ...canaries]), FLAT);
  find = async (name) => search(memoriesOf({ [name]: await pidOf(name) }));
}, 120_000);
afterAll(async () => {
  await run.stop();
  remove();
});

async function pidOf(name: string): Promise<number> {
  return ((await run.deployed.control(name, "GET", "/status")) as { readonly pid: number }).pid;
}
const namesIn = (hits: readonly Hit[]): readonly string[] => [...new Set(hits.map(({ canary }) => canary))];
const stored = async (): Promise<number> => (await run.meter.read()).accepted;

describe("while messages flow", () => {
  it("custody has its private keys in memory with a file store, and whoever looks there finds every one", async () => {
    // One that opens messages, and one for packages of ceremonies.
    expect(keys).toHaveLength(2);
    expect(namesIn(await find("custody"))).toEqual(expect.arrayContaining(keys.map(({ name }) => name)));
  });

  it.each(OTHERS)(
    "%s has none of custody's keys in memory, nor what opens their files, at %i looks",
    async (name, looks) => {
      for (let look = 0; look < looks; look += 1) {
        const before = await stored();
        const found = namesIn(await find(name));
        expect(found.filter((canary) => canary.includes("custody/"))).toEqual([]);
        expect(found.join()).toContain(OWN[name] ?? "");
        while ((await stored()) === before) await sleep(50);
      }
    },
  );

  it.each(["custody", ...OTHERS.map(([name]) => name)])("no dump of %s is ever written", async (name) => {
    const limits = readFileSync(`/proc/${await pidOf(name)}/limits`, "utf8");
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
  });
});
