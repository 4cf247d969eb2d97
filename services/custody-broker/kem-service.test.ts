import { create } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, it } from "vitest";
import type { FrameResponse } from "../../custody/kem-frames.ts";
import {
  DecapsulateBatchRequestSchema,
  DecapsulateRequestSchema,
  KemHealthRequestSchema,
  type Use,
} from "../../custody/proto/custody_pb.ts";
import type { Question } from "./custody-link.ts";
import { kemHandlers } from "./kem-service.ts";
import { createAdmission } from "./limits.ts";
import { refusalOf } from "./refusal-of.ts";

let asked: Question[];
let answer: (question: Question) => Omit<FrameResponse, "id"> & Record<string, unknown>;
let kem: ReturnType<typeof kemHandlers>;
const counters = { batches: 0, items: 0 };
const results = new Uint8Array(33).fill(7);
results[0] = 0;

beforeEach(() => {
  asked = [];
  answer = (question) => ("items" in question ? { results: repeated(question.items.length / 40) } : {});
  const link = {
    ask: async (question: Question) => {
      asked.push(question);
      return { id: 1, ...answer(question) } as FrameResponse;
    },
  };
  const admission = createAdmission({ itemsPerSecond: 2000, itemsInFlight: 2000 }, () => 0);
  kem = kemHandlers({ client: "svc-collector", link, admission, counters });
});
const repeated = (count: number) => Buffer.concat(Array(count).fill(results));
const batch = (items: number | Uint8Array, use: number = 1) => {
  const packed = typeof items === "number" ? new Uint8Array(40 * items) : items;
  return kem.decapsulateBatch(create(DecapsulateBatchRequestSchema, { use: use as Use, items: packed }));
};
const single = (keyId: number, enc: number, use = 1) =>
  kem.decapsulate(
    create(DecapsulateRequestSchema, {
      use: use as Use,
      keyId: new Uint8Array(keyId),
      encapsulatedKey: new Uint8Array(enc),
    }),
  );

describe("the broker's KEM service", () => {
  it("passes on what is well-formed as it came, under the name of who was let in", async () => {
    const items = new Uint8Array(80).fill(5);
    expect((await batch(items, 2)).results).toEqual(repeated(2));
    expect(asked).toEqual([{ client: "svc-collector", use: "stored", items }]);
    expect((await batch(1024)).results).toHaveLength(33 * 1024);
  });

  it("opens one by itself, and gives a secret only where it was opened", async () => {
    expect(await single(8, 32)).toEqual({ outcome: 0, sharedSecret: new Uint8Array(32).fill(7) });
    answer = () => ({ results: Uint8Array.from([2, ...Array(32).fill(0)]) });
    expect(await single(8, 32)).toEqual({ outcome: 2, sharedSecret: new Uint8Array() });
  });

  it.each([
    ["no items", () => batch(0)],
    ["1025 items", () => batch(1025)],
    ["a cut item", () => batch(new Uint8Array(79))],
    ["no use", () => batch(1, 0)],
    ["a use that nobody knows", () => batch(1, 3)],
    ["a short key id", () => single(7, 32)],
    ["a long encapsulated key", () => single(8, 33)],
    ["a key id for an encapsulated key", () => single(32, 8)],
    ["one without a use", () => single(8, 32, 0)],
  ])("refuses %s, and asks custody nothing", async (_, request) => {
    const thrown = await request().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "CUSTODY_KEM_MALFORMED" });
    expect(refusalOf(thrown)).toBe("malformed");
    expect(asked).toEqual([]);
  });

  it("refuses more than one client may have opened", async () => {
    await batch(1024);
    const thrown = await batch(1024).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "CUSTODY_KEM_RATE" });
    expect(refusalOf(thrown)).toBe("rate");
    expect(asked).toHaveLength(1);
  });

  it.each([
    ["sealed", { error: "sealed" }, "CUSTODY_SEALED", "sealed"],
    ["without a log", { error: "unavailable", code: "CUSTODY_AUDIT_UNAVAILABLE" }, "CUSTODY_KEM_UNAVAILABLE", null],
    ["that gives fewer results", { results }, "CUSTODY_KEM_UNAVAILABLE", null],
    ["that gives none", {}, "CUSTODY_KEM_UNAVAILABLE", null],
  ])("makes no verdict of a custody %s", async (_, response, code, reason) => {
    answer = () => response;
    const thrown = await batch(2).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code });
    expect(refusalOf(thrown)).toBe(reason);
  });

  it("lets go of what failed", async () => {
    answer = () => ({ error: "sealed" });
    for (let n = 0; n < 3; n++) await expect(batch(600)).rejects.toMatchObject({ code: "CUSTODY_SEALED" });
  });

  it("says whether custody is sealed, and fails where it is away", async () => {
    const health = () => kem.health(create(KemHealthRequestSchema));
    expect(await health()).toEqual({ sealed: false });
    answer = () => ({ error: "sealed" });
    expect(await health()).toEqual({ sealed: true });
    answer = () => ({ error: "unavailable", code: "SERVICE_INTERNAL" });
    await expect(health()).rejects.toMatchObject({ code: "CUSTODY_KEM_UNAVAILABLE" });
  });
});
