import { describe, expect, it } from "vitest";
import { createIntakeQueue, type Message } from "./queue.ts";

const message = (gateway: string, n = 0): Message => ({
  gateway,
  sensorId: "00".repeat(9),
  bytes: Buffer.of(n),
  receivedAtMs: n,
});

describe("the intake queue", () => {
  it("refuses what goes beyond a gateway's own bound, and nothing of another's", () => {
    const queue = createIntakeQueue(2);
    expect([1, 2, 3].map((n) => queue.push(message("gw-a", n)))).toEqual([true, true, false]);
    expect(queue.push(message("gw-b"))).toBe(true);
  });

  it("counts what was taken until it is released", () => {
    const queue = createIntakeQueue(1);
    queue.push(message("gw-a"));
    const taken = queue.take(10);
    expect([queue.waiting(), queue.held()]).toEqual([0, 1]);
    expect(queue.push(message("gw-a"))).toBe(false);
    queue.release(taken);
    expect(queue.held()).toBe(0);
    expect(queue.push(message("gw-a"))).toBe(true);
  });

  it("gives every gateway its turn, oldest first, however many one has sent", () => {
    const queue = createIntakeQueue(100);
    for (let n = 0; n < 50; n++) queue.push(message("gw-flood", n));
    queue.push(message("gw-quiet"));
    const taken = queue.take(10);
    expect(taken).toHaveLength(10);
    expect(taken.filter(({ gateway }) => gateway === "gw-quiet")).toHaveLength(1);
    expect(taken.filter(({ gateway }) => gateway === "gw-flood").map(({ bytes }) => bytes[0])).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });

  it("turns between gateways from batch to batch", () => {
    const queue = createIntakeQueue(100);
    for (const gateway of ["gw-a", "gw-b", "gw-c"]) for (let n = 0; n < 5; n++) queue.push(message(gateway, n));
    const order = [1, 2, 3, 4].flatMap(() => queue.take(1).map(({ gateway }) => gateway));
    expect(order).toEqual(["gw-a", "gw-b", "gw-c", "gw-a"]);
  });

  it("takes nothing from nothing", () => {
    expect(createIntakeQueue(1).take(5)).toEqual([]);
  });
});
