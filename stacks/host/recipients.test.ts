import { describe, expect, it } from "vitest";
import type { ListedGeneration } from "./custody-management.ts";
import { recipientsOf, updateSensors } from "./recipients.ts";

const compromised = { at: "2026-01-01T00:00:00Z", reason: "lost", stored: "allow" };
const generation = (keyId: string, state: string, more: Partial<ListedGeneration> = {}): ListedGeneration => ({
  keyId,
  state,
  publicKey: new Uint8Array(32).fill(1),
  suite: "X25519-HKDF-SHA256/AES-128-GCM",
  origin: "generated",
  createdAt: "2026-01-01T00:00:00Z",
  notBefore: "2026-01-01T00:00:00Z",
  ...more,
});

it("sensors are told of keys that are active or next, and of none that is in other hands", () => {
  const all = [
    generation("a", "destroyed"),
    generation("b", "retired"),
    generation("c", "retired", { compromised }),
    generation("d", "active"),
    generation("e", "next", { compromised }),
    generation("f", "next"),
  ];
  expect(recipientsOf(all).map(({ key_id }) => key_id)).toEqual(["d", "f"]);
  expect(recipientsOf(all)[0]).toEqual({
    key_id: "d",
    public_key: "01".repeat(32),
    not_before: "2026-01-01T00:00:00Z",
  });
});

it("the preferred key begins after every other one, and keeps its own time where it does so already", () => {
  const late = { notBefore: "2026-03-01T00:00:00.000Z" };
  const of = (...generations: readonly ListedGeneration[]) =>
    recipientsOf(generations, "f").map(({ key_id, not_before }) => [key_id, not_before]);
  expect(of(generation("d", "active", late), generation("f", "next"))).toEqual([
    ["d", late.notBefore],
    ["f", "2026-03-01T00:00:00.001Z"],
  ]);
  expect(of(generation("d", "active"), generation("f", "next", late))).toEqual([
    ["d", "2026-01-01T00:00:00Z"],
    ["f", late.notBefore],
  ]);
  expect(of(generation("f", "next"))).toEqual([["f", "2026-01-01T00:00:00Z"]]);
  expect(of(generation("d", "active", late))).toEqual([["d", late.notBefore]]);
});

describe("the updates of all sensors", () => {
  /** Asks a backend that gives these answers, and gives how often it was asked. */
  async function asked(...answers: readonly unknown[]): Promise<number> {
    let calls = 0;
    await updateSensors(async (method, path) => {
      expect([method, path]).toEqual(["POST", "/v1/updates"]);
      calls += 1;
      return answers[calls - 1];
    });
    return calls;
  }

  it("are asked for until nobody waits", async () => {
    expect(await asked({ issued: 200, remaining: 31 }, { issued: 31, remaining: 0 })).toBe(2);
    expect(await asked({ issued: 0, remaining: 0 })).toBe(1);
  });

  it("are not asked for without end where the backend signs none", async () => {
    expect(await asked({ issued: 0, remaining: 5 })).toBe(1);
  });

  it("are no matter of a backend that answers something else", async () => {
    await expect(asked({})).rejects.toThrow();
  });
});
