import { expect } from "vitest";
import type { Keyring } from "./keyring.ts";
import { activeOf, type KeyringGround, opens } from "./test-support.ts";

/** Opens, and holds what is true after any death: state, store and log fit, and whatever is to open opens. */
export async function expectWhole(ground: KeyringGround): Promise<Keyring> {
  const keyring = await ground.open();
  activeOf(keyring);
  const kept = keyring.list().filter(({ state }) => state !== "destroyed");
  const held = [keyring.packageKey.keyId, ...kept.map(({ keyId }) => keyId)].toSorted();
  expect([...ground.store.keys.keys()].toSorted()).toEqual(held);
  for (const generation of keyring.list())
    expect(await opens(keyring, generation, "stored")).toBe(generation.state !== "destroyed");
  const records = ground.audit.records.length;
  expect((await ground.open()).list()).toEqual(keyring.list());
  expect(ground.audit.records.length).toBe(records);
  return keyring;
}
