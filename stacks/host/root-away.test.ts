import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCrl } from "../../certs/crl.ts";
import { LEAF_CLASSES } from "../../certs/names.ts";
import { authorityFiles } from "./authority-files.ts";
import { makeByCeremony } from "./ceremony.ts";
import { hostCrls } from "./crls.ts";
import { openHostLedger } from "./host-ledger.ts";
import { layoutOf } from "./layout.ts";
import { modelCeremony } from "./rotation/model-ceremony.ts";
import { hostFiles } from "./store-files.ts";

const DAY_MS = 86_400_000;
const start = new Date("2026-11-21T08:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "tk-root-away-"));
const layout = layoutOf(join(folder, "state"), tmpdir());
const dir = layout.authoritiesDir;
const rootFile = { file: join(folder, "root.age"), passphraseFile: join(folder, "words") };
const away = join(folder, "away.age");

beforeAll(async () => {
  writeFileSync(rootFile.passphraseFile, randomBytes(32).toString("hex"));
  await makeByCeremony({
    layout,
    deployment: { tenant: "acme", pki: { root: { kind: "age" }, issuing: { kind: "file" } } },
    namespace: undefined,
    clock: () => start,
    rootFile,
    makers: [],
    conductor: "Ada",
    witnesses: [],
    versions: {},
    acceptP256Root: false,
    onEvent: () => undefined,
  });
  renameSync(rootFile.file, away);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function open(days: number) {
  const clock = () => new Date(start.getTime() + days * DAY_MS);
  const passphrase = () => "not the root's";
  const onAuthority = async () => undefined;
  const of = { dir, tenant: "acme", namespace: undefined };
  const store = authorityFiles({ ...of, clock, passphrase, files: hostFiles, onAuthority });
  const ledger = await openHostLedger({ dir, tenant: "acme", clock, files: hostFiles });
  return { store, ledger, crls: hostCrls({ dir, store, ledger, files: hostFiles, clock, online: [] }) };
}
const rootList = () => readCrl(readFileSync(join(dir, "crls/root.pem"), "utf8"));

describe("while the root's key is away", () => {
  test("its list of a year stays, also in the month before its end, and the others are made anew", async () => {
    for (const days of [1, 340, 364]) {
      await (await open(days)).crls.refresh();
      expect([rootList().number, rootList().thisUpdate.getUTCFullYear()]).toEqual([1n, 2026]);
      for (const name of LEAF_CLASSES) {
        const { nextUpdate } = readCrl(readFileSync(join(dir, `crls/${name}.pem`), "utf8"));
        expect(nextUpdate.getTime()).toBeGreaterThan(start.getTime() + (days + 3) * DAY_MS);
      }
    }
  });

  test("its list is not kept past its end, nor without what was revoked since", async () => {
    const elsewhere = { code: "ROOT_KEY_ELSEWHERE" };
    await expect((await open(366)).crls.refresh()).rejects.toMatchObject(elsewhere);
    const { crls, ledger } = await open(2);
    await ledger.revoked(readFileSync(join(dir, "gateways.crt"), "utf8"), "keyCompromise", "Ada");
    await expect(crls.refresh()).rejects.toMatchObject(elsewhere);
  });

  test("every other list is made all the same", async () => {
    const { crls } = await open(20);
    await expect(crls.refresh()).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE" });
    const { thisUpdate } = readCrl(readFileSync(join(dir, "crls/services.pem"), "utf8"));
    expect(thisUpdate.getTime()).toBeGreaterThanOrEqual(start.getTime() + 19 * DAY_MS);
  });

  test("nothing makes another key in its stead, or signs an authority", async () => {
    const { store } = await open(3);
    await expect(store.openRoot()).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE" });
    const ceremony = modelCeremony({ root: { kind: "age" }, issuing: { kind: "file" } }, undefined);
    await expect(store.stageRoot(ceremony)).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE", path: "--root-key" });
    await expect(store.stageIntermediate("services", ceremony)).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE" });
    expect([existsSync(join(dir, "root.next.crt")), existsSync(join(dir, "services.next.crt"))]).toEqual([
      false,
      false,
    ]);
  });

  test("and it signs again once it is back, and only with its own passphrase", async () => {
    renameSync(away, rootFile.file);
    await (await open(3)).crls.refresh();
    expect([rootList().number, rootList().revoked.length]).toEqual([2n, 1]);
    writeFileSync(rootFile.passphraseFile, randomBytes(32).toString("hex"));
    await expect((await open(4)).store.openRoot()).rejects.toMatchObject({ code: "SIGNER_PASSPHRASE_WRONG" });
  });
});
