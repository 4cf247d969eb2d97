import { afterEach, beforeEach, expect, it } from "vitest";
import { packItems, unpackResults } from "../../custody/kem-items.ts";
import { Kem, Use } from "../../custody/proto/custody_pb.ts";
import { grpcClient } from "../../shared/grpc/client.ts";
import type { ListedGeneration } from "../../stacks/host/custody-management.ts";
import { activeOf, manage, openedBy, sealTo } from "./custody/asking.ts";
import { type CustodyProcesses, custodyProcesses } from "./custody/processes.ts";

let processes: CustodyProcesses;
let old: ListedGeneration;
let opens: (generation: ListedGeneration, use: Use) => Promise<boolean>;
let close: () => void;
beforeEach(async () => {
  processes = custodyProcesses();
  processes.custody();
  processes.broker();
  await processes.until("custody", true);
  await processes.until("broker", true);
  old = await activeOf(processes.at("manage"));
  const kem = grpcClient(Kem, { address: `unix:${processes.at("open")}` });
  close = kem.close;
  opens = async (generation, use) => {
    const { item, ciphertext } = sealTo(generation);
    const { results } = await kem.call("decapsulateBatch", { use, items: packItems([item]) }, 5000);
    return openedBy(unpackResults(results, 1)[0], ciphertext);
  };
});
afterEach(async () => {
  close();
  await processes.end();
});
const both = async (generation: ListedGeneration) => [
  await opens(generation, Use.LIVE),
  await opens(generation, Use.STORED),
];
const compromise = (stored: string, reason: string) =>
  manage(processes.at("manage"), "compromise", { keyId: old.keyId, stored, reason });

it("opens by a compromised generation what is stored as long as that is allowed, and nothing live; another is active", async () => {
  expect(await both(old)).toEqual([true, true]);
  const active = (await compromise("allow", "lost")) as ListedGeneration;
  expect(active.state).toBe("active");
  expect([await both(old), await both(active)]).toEqual([
    [false, true],
    [true, true],
  ]);
  await compromise("block", "found in the wild");
  expect(await both(old)).toEqual([false, false]);
  await expect(compromise("allow", "found again")).rejects.toMatchObject({ code: "CUSTODY_GENERATION_STATE" });
  expect(await both(old)).toEqual([false, false]);
});

it("opens nothing for a use that nobody has named", async () => {
  await expect(opens(old, Use.UNSPECIFIED)).rejects.toMatchObject({ code: "CUSTODY_KEM_MALFORMED" });
  await expect(opens(old, 3 as number as Use)).rejects.toMatchObject({ code: "CUSTODY_KEM_MALFORMED" });
});
