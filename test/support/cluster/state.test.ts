import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseAddresses } from "./addresses.ts";
import { assertOurs, claimState, readReady, writeReady } from "./state.ts";

let dir: string;
let state: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-cluster-state-"));
  state = join(dir, "state");
});
afterEach(() => rmSync(dir, { recursive: true }));

const FOREIGN = expect.objectContaining({ code: "CLUSTER_STATE_FOREIGN" });

describe("claimState", () => {
  it("makes a folder that its owner alone may enter", () => {
    claimState(state);
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(statSync(join(state, "pki")).mode & 0o777).toBe(0o700);
  });

  it("takes an empty folder, and one that it has taken before", () => {
    mkdirSync(state);
    claimState(state);
    expect(() => claimState(state)).not.toThrow();
  });

  it("refuses a folder that has something else in it, and changes nothing there", () => {
    mkdirSync(state);
    writeFileSync(join(state, "letter.txt"), "");
    expect(() => claimState(state)).toThrow(FOREIGN);
    expect(existsSync(join(state, "pki"))).toBe(false);
  });

  it("refuses a file", () => {
    writeFileSync(state, "");
    expect(() => claimState(state)).toThrow(FOREIGN);
  });
});

describe("assertOurs", () => {
  it("has nothing against a folder that is not there", () => {
    expect(() => assertOurs(join(dir, "a", "b"))).not.toThrow();
  });

  it("refuses a folder whose only file is like ours in name, but for a letter", () => {
    mkdirSync(state);
    writeFileSync(join(state, "trustkern-clusters"), "");
    expect(() => assertOurs(state)).toThrow(FOREIGN);
  });
});

describe("readReady", () => {
  it("knows nothing of a cluster that was not brought up to the end", () => {
    claimState(state);
    expect(readReady(state)).toBeUndefined();
  });

  it("gives back the addresses that were noted", () => {
    claimState(state);
    const addresses = chooseAddresses([]);
    writeReady(state, addresses);
    expect(readReady(state)).toEqual(addresses);
  });
});
