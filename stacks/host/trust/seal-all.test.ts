import { expect, it } from "vitest";
import { grpcErrors } from "../../../shared/grpc/client.ts";
import { sealAll } from "./seal-all.ts";
import type { Unsealing } from "./unseal.ts";

const away = grpcErrors.error("GRPC_UNREACHABLE", "UNAVAILABLE: no socket");
const ORDER = { actor: "cli:anna", reason: "a visit", dryRun: false };

/** Custodies that are sealed, open, away, or refuse the order; what each was ordered. */
function custodies(...states: readonly ("sealed" | "open" | "away" | "refuses")[]) {
  const orders: string[][] = states.map(() => []);
  const managements = states.map((state, index) => ({
    call: async (method: string) => {
      if (state === "away") throw away;
      if (method === "health") return { sealed: state === "sealed" };
      if (state === "refuses") throw away;
      orders[index]?.push(method);
      return { sealed: true };
    },
  })) as never as Unsealing["management"][];
  return { managements, orders };
}

it.each([
  [["open"], false],
  [["sealed"], true],
  [["sealed", "open"], false],
  [["sealed", "sealed"], true],
] as const)("every custody of %j is sealed, and it is said whether all were", async (states, wasSealed) => {
  const { managements, orders } = custodies(...states);
  expect(await sealAll(managements, ORDER)).toEqual({ wasSealed, answered: states.length, failure: undefined });
  expect(orders).toEqual(states.map(() => ["seal"]));
});

it.each([
  [
    ["away", "open"],
    [[], ["seal"]],
  ],
  [
    ["open", "away"],
    [["seal"], []],
  ],
  [
    ["refuses", "open", "open"],
    [[], ["seal"], ["seal"]],
  ],
] as const)("one of %j that cannot be sealed keeps none of the others open, and is told", async (states, ordered) => {
  const { managements, orders } = custodies(...states);
  expect(await sealAll(managements, ORDER)).toEqual({ wasSealed: false, answered: states.length - 1, failure: away });
  expect(orders).toEqual(ordered);
});

it("nobody is ordered anything where it is only asked what would be", async () => {
  const { managements, orders } = custodies("open", "sealed");
  expect(await sealAll(managements, { ...ORDER, dryRun: true })).toMatchObject({ wasSealed: false, answered: 2 });
  expect(orders).toEqual([[], []]);
});
