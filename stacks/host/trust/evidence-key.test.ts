import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { layoutOf } from "../layout.ts";
import { openEvidenceKey, pinEvidenceKey, pinnedEvidenceKey } from "./evidence-key.ts";
import { trustFiles } from "./place.ts";
import { fingerprintOf, type SigningKeyPlace } from "./signing-key.ts";
import { openStartKey } from "./start-key.ts";

const PKI = { pki: { root: { kind: "age" }, issuing: { kind: "file" } } } as const;

let folder: string;
let dir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-evidence-key-"));
  dir = join(folder, "state");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Signs nothing, and pins the key as whoever signs does. */
async function use(place: SigningKeyPlace): Promise<string> {
  const signer = await openEvidenceKey({ dir }, place, PKI);
  pinEvidenceKey({ dir }, signer);
  await signer.close();
  return fingerprintOf(signer.publicKeySpki);
}

function onMedium(name = "evidence.age"): SigningKeyPlace {
  const passphraseFile = join(folder, "passphrase");
  if (!existsSync(passphraseFile)) writeFileSync(passphraseFile, `${randomBytes(32).toString("hex")}\n`);
  return { file: join(folder, name), passphraseFile };
}

it("is made on this host for its owner alone, stays the same, and is pinned", async () => {
  const first = await use("here");
  expect(await use("here")).toBe(first);
  expect(fingerprintOf(pinnedEvidenceKey({ dir })!)).toBe(first);
  expect(statSync(trustFiles({ dir }).evidenceKey).mode & 0o777).toBe(0o600);
});

it("is another one than that of start manifests", async () => {
  const start = await openStartKey(layoutOf(dir, tmpdir()), "here", PKI);
  expect(await use("here")).not.toBe(fingerprintOf(start.publicKeySpki));
});

it("is not on this host where a medium is named, and no other one signs from then on", async () => {
  const fingerprint = await use(onMedium());
  expect(existsSync(trustFiles({ dir }).evidenceKey)).toBe(false);
  expect(await use(onMedium())).toBe(fingerprint);
  await expect(use("here")).rejects.toMatchObject({ code: "EVIDENCE_SIGNER_DIFFERS", exit: 5 });
  await expect(use(onMedium("other.age"))).rejects.toMatchObject({
    code: "SIGNER_KEY_MISSING",
    fix: expect.stringContaining("name with --evidence-key where the key is that signed before"),
  });
});

it("is refused in the state directory, and on a device that the deployment does not have", async () => {
  const inside = { ...(onMedium() as { passphraseFile: string }), file: join(dir, "evidence.age") };
  await expect(use(inside)).rejects.toMatchObject({ code: "ROOT_KEY_ONLINE" });
  await expect(use("root-device")).rejects.toMatchObject({ code: "ROOT_KEY_ELSEWHERE", path: "--evidence-key" });
});
