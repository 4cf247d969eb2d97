import { beforeEach, describe, expect, it } from "vitest";
import { createAdmission } from "./limits.ts";

let now: number;
beforeEach(() => {
  now = 1000;
});
const admission = (itemsPerSecond: number, itemsInFlight: number) =>
  createAdmission({ itemsPerSecond, itemsInFlight }, () => now);
const refused = expect.objectContaining({ code: "CUSTODY_KEM_RATE" });

describe("admission", () => {
  it("lets in as many as there are in a second, at once or one by one, and no more", () => {
    const { admit } = admission(100, 1000);
    admit(60);
    admit(40);
    expect(() => admit(1)).toThrow(refused);
    now += 10;
    admit(1);
    expect(() => admit(1)).toThrow(refused);
  });

  it("saves up no more than a second's worth", () => {
    const { admit } = admission(100, 1000);
    now += 3_600_000;
    admit(100);
    expect(() => admit(1)).toThrow(refused);
  });

  it("lets in a batch that is larger than a second's worth, and has it paid for afterwards", () => {
    const { admit } = admission(100, 10_000);
    admit(1000);
    now += 9000;
    expect(() => admit(1)).toThrow(refused);
    now += 1000;
    admit(100);
  });

  it("lets in no more than may be under way, until one is done, once", () => {
    const { admit } = admission(10_000, 100);
    const done = admit(80);
    expect(() => admit(21)).toThrow(refused);
    admit(20);
    done();
    admit(80);
    expect(() => admit(1)).toThrow(refused);
  });

  it("takes nothing from the bucket for what it refuses", () => {
    const { admit } = admission(100, 50);
    const done = admit(50);
    expect(() => admit(50)).toThrow(refused);
    done();
    admit(50);
    expect(() => admit(1)).toThrow(refused);
  });

  it("never refuses a single batch for its size alone", () => {
    expect(() => admission(1, 1).admit(1024)).not.toThrow();
  });
});
