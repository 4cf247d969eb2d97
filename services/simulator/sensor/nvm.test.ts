import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Nvm, openNvm } from "./nvm.ts";

let folder: string;
let nvm: Nvm;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-nvm-"));
  nvm = openNvm(folder);
  nvm.create("aa");
});
afterEach(() => rmSync(folder, { recursive: true }));

function restart(): void {
  nvm.close();
  nvm = openNvm(folder);
}

it.each([
  ["a Buffer", Buffer.from([1, 2, 255])],
  ["a Uint8Array", new Uint8Array([1, 2, 255])],
  ["a view into a larger one", new Uint8Array([9, 1, 2, 255, 9]).subarray(1, 4)],
])("gives the bytes of a message back over a restart: %s", (_, bytes) => {
  nvm.save("aa", { pending: { bootId: 1, seq: 2, bytes, plaintext: "{}" } });
  restart();
  expect(nvm.load("aa").pending).toEqual({ bootId: 1, seq: 2, bytes: Buffer.from([1, 2, 255]), plaintext: "{}" });
});

it("begins with a factory-fresh sensor, and keeps each to itself", () => {
  nvm.create("bb");
  nvm.save("bb", { state: "joined" });
  expect([nvm.load("aa").state, nvm.load("bb").state]).toEqual(["factory", "joined"]);
  expect(nvm.sensorIds()).toEqual(["aa", "bb"]);
});

it("undoes everything of a transaction that fails, nested ones too", () => {
  const failing = () =>
    nvm.transaction(() => {
      nvm.save("aa", { seq: 7 });
      nvm.append({ sensor_id: "aa", boot_id: 1, seq: 7, digest: "d", plaintext: "{}" });
      throw new Error("power");
    });
  expect(failing).toThrow("power");
  expect([nvm.load("aa").seq, nvm.ledger(0, 9)]).toEqual([0, []]);
});

it("remembers a run over a restart, and that there is none", () => {
  expect(nvm.run()).toBeNull();
  nvm.saveRun({ rate: 5, total: null, sent: 3 });
  restart();
  expect(nvm.run()).toEqual({ rate: 5, total: null, sent: 3 });
  nvm.saveRun(null);
  expect(nvm.run()).toBeNull();
});

it("refuses a damaged memory with one clear error", () => {
  nvm.close();
  const path = join(folder, "sensors.db");
  writeFileSync(path, "no database".repeat(200));
  expect(() => openNvm(folder)).toThrow(expect.objectContaining({ code: "SIM_STATE_UNUSABLE", path }));
  nvm = { close: () => undefined } as Nvm;
});
