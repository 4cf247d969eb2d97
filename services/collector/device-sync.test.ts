import { expect, it } from "vitest";
import type { AllowlistDocument } from "../../protocol/allowlist-document.ts";
import { createDeviceSync } from "./device-sync.ts";
import type { StoredDevice } from "./store-types.ts";

const KEY = `04${"11".repeat(64)}`;
const LIST: AllowlistDocument = {
  audience: "collector",
  version: 1,
  issuedAtMs: 0,
  sensors: [
    { sensorId: "0a".repeat(9), publicKey: KEY, maker: "good" },
    { sensorId: "0b".repeat(9), publicKey: KEY, maker: "bad" },
    { sensorId: "0c".repeat(9), publicKey: KEY, maker: "good" },
  ],
  revoked: [
    { maker: "bad", sensorIds: "all" },
    { maker: "good", sensorIds: ["0c".repeat(9), "0d".repeat(9)] },
  ],
};

function sync(saveDevices: (devices: readonly StoredDevice[]) => Promise<void>) {
  const failures: unknown[] = [];
  let document: AllowlistDocument | null = LIST;
  const { save } = createDeviceSync({
    store: { saveDevices },
    document: () => document,
    signal: new AbortController().signal,
    onFailure: (thrown) => failures.push(thrown),
  });
  return { save, failures, set: (next: AllowlistDocument | null) => (document = next) };
}

it("writes every sensor with its state, a revoked one without a key too", async () => {
  const saved: (readonly StoredDevice[])[] = [];
  sync(async (devices) => void saved.push(devices)).save();
  await expect.poll(() => saved).toHaveLength(1);
  expect(
    saved[0]?.map(({ sensorId, revoked, publicKey }) => [sensorId.slice(0, 2), revoked, publicKey?.length ?? null]),
  ).toEqual([
    ["0a", false, 65],
    ["0b", true, 65],
    ["0c", true, 65],
    ["0d", true, null],
  ]);
});

it("tries again until the database takes it", async () => {
  let attempts = 0;
  const { save, failures } = sync(async () => {
    attempts += 1;
    if (attempts < 3) throw new Error("away");
  });
  save();
  await expect.poll(() => attempts).toBe(3);
  expect(failures).toHaveLength(2);
});

it("writes the newest list once when several came while it was writing", async () => {
  const counts: number[] = [];
  let release: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (release = resolve));
  const { save, set } = sync(async (devices) => {
    counts.push(devices.length);
    if (counts.length === 1) await first;
  });
  save();
  await expect.poll(() => counts).toHaveLength(1);
  set({ ...LIST, revoked: [] });
  save();
  save();
  release();
  await expect.poll(() => counts).toHaveLength(2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(counts).toEqual([4, 3]);
});
