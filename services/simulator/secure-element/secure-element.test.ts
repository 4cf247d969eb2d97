import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { importP256Point, verifyP256 } from "../../../protocol/signature.ts";
import { SECURE_ELEMENT_COMMANDS, signerOf } from "./secure-element.ts";
import { makeSoftSecureElement, SoftSecureElement, softSecureElementFile } from "./secure-element-soft.ts";

let folder: string;
let path: string;
let serial: string;
let element: SoftSecureElement;
/** The private scalar and the PEM body, in every spelling that a leak could have. */
let secrets: readonly string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-se-"));
  serial = makeSoftSecureElement(folder);
  path = softSecureElementFile(folder, serial);
  element = new SoftSecureElement(path);
  const pem = String(JSON.parse(readFileSync(path, "utf8")).key);
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const scalar = der.subarray(36, 68);
  const spellings = (bytes: Buffer) => [bytes.toString("hex"), bytes.toString("base64"), bytes.toString("base64url")];
  secrets = [...spellings(scalar), ...spellings(der), "PRIVATE KEY"];
});
afterEach(() => rmSync(folder, { recursive: true }));

const publicPoint = async () =>
  Buffer.from(String((await element.execute({ command: "public-key" })).public_key), "hex");

it("signs with a key that belongs to its public key", async () => {
  const data = Buffer.from("data");
  const signature = await signerOf(element)(data);
  expect(verifyP256(importP256Point(await publicPoint()), data, signature)).toBe(true);
});

it("keeps serial number and key over a restart", async () => {
  const before = await publicPoint();
  element = new SoftSecureElement(path);
  expect(await publicPoint()).toEqual(before);
  expect(await element.execute({ command: "serial" })).toEqual({ serial });
  expect(serial).toMatch(/^0123[0-9a-f]{12}ee$/);
});

it("gives every sensor a key and a serial number of its own", async () => {
  const other = new SoftSecureElement(softSecureElementFile(folder, makeSoftSecureElement(folder)));
  expect(await other.execute({ command: "public-key" })).not.toEqual(await element.execute({ command: "public-key" }));
});

it("keeps its file to its own user", () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it("has a counter that never goes down, also over a restart", async () => {
  await element.execute({ command: "counter", increment: true });
  expect(await element.execute({ command: "counter", increment: true })).toEqual({ counter: 2 });
  expect(await new SoftSecureElement(path).execute({ command: "counter" })).toEqual({ counter: 2 });
});

it.each(["read", "private-key", "export", "dump", "backup", "write", "", "__proto__", "constructor", "SIGN", null, 1])(
  "refuses the command %j, and says what is accepted",
  async (command) => {
    const refused = element.execute({ command });
    await expect(refused).rejects.toMatchObject({ code: "SE_COMMAND_REFUSED" });
    await expect(refused).rejects.toThrow(SECURE_ELEMENT_COMMANDS.join(", "));
  },
);

it.each([
  ["no object", "sign"],
  ["nothing", undefined],
  ["an argument that it does not know", { command: "public-key", private: true }],
  ["data that is not hex", { command: "sign", data: "zz" }],
  ["too much data", { command: "sign", data: "00".repeat(4097) }],
  ["more random bytes than it has", { command: "random", bytes: 33 }],
  ["a counter that is to go back", { command: "counter", increment: -1 }],
])("refuses %s", async (_, input) => {
  await expect(element.execute(input)).rejects.toMatchObject({ code: "SE_COMMAND_REFUSED" });
});

it("shows its key in no answer", async () => {
  for (const command of SECURE_ELEMENT_COMMANDS) {
    const answer = JSON.stringify(await element.execute({ command, ...(command === "sign" && { data: "00" }) }));
    for (const secret of secrets) expect(answer).not.toContain(secret);
  }
});

it.each<[string, (value: SoftSecureElement) => string]>([
  ["JSON.stringify", JSON.stringify],
  ["String", String],
  ["util.inspect", (value) => inspect(value, { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true })],
  ["its own properties", (value) => JSON.stringify(Object.getOwnPropertyNames(value))],
  ["the property names of its class", (value) => Object.getOwnPropertyNames(Object.getPrototypeOf(value)).join()],
  ["Object.entries", (value) => JSON.stringify(Object.entries(value))],
  ["a structured clone", (value) => JSON.stringify(structuredClone(value))],
])("does not give its key away to %s", (_, look) => {
  const seen = look(element);
  for (const secret of [...secrets, "KeyObject", "#key"]) expect(seen).not.toContain(secret);
});

it("has nothing to call but execute", () => {
  expect(Object.getOwnPropertyNames(SoftSecureElement.prototype)).toEqual(["constructor", "execute"]);
  expect(Object.keys(element)).toEqual([]);
});

it.each([
  ["is gone", () => rmSync(path)],
  ["is damaged", () => writeFileSync(path, readFileSync(path, "utf8").slice(0, -20))],
  ["holds another form", () => writeFileSync(path, '{"serial":"00"}')],
])("names a file that %s, and quotes nothing of it", (_, harm) => {
  harm();
  let thrown: unknown;
  try {
    new SoftSecureElement(path);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: "SIM_STATE_UNUSABLE", path });
  for (const secret of secrets) expect(inspect(thrown)).not.toContain(secret);
});
