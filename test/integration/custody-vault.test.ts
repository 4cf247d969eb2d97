import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeKeyStore } from "../../custody/backends/contract/key-store-contract.ts";
import { TestTransit } from "../../custody/backends/contract/test-transit.ts";
import { openVaultStore } from "../../custody/backends/vault.ts";

const transit = new TestTransit();
beforeAll(() => transit.start());
afterAll(() => transit.stop());

let made = 0;
const ref = () => ({ kind: "vault" as const, ...transit.key(), folder: join(transit.folder, `store-${made}`) });

describeKeyStore("that a service with transit's documented API wraps", {
  create: () => {
    made += 1;
    return openVaultStore(ref());
  },
  reopen: () => openVaultStore(ref()),
});

test("a store waits for an answer for 2 s and no longer", async () => {
  transit.instead = (response) => response.writeHead(200).write("{");
  const started = performance.now();
  await expect(openVaultStore(ref())).rejects.toMatchObject({ code: "CUSTODY_STORE_UNREACHABLE", exit: 4 });
  const took = performance.now() - started;
  transit.instead = undefined;
  expect(took).toBeGreaterThan(1_900);
  expect(took).toBeLessThan(4_000);
});
