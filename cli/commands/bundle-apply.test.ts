import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeBundles, layeredContents, noise, openedBundle } from "../../operations/bundle/delta/test-delta.ts";
import { writeDelta } from "../../operations/bundle/delta/write-delta.ts";
import type { Bundle } from "../../operations/bundle/format/read.ts";
import { removeFolders, UNWATCHED } from "../../operations/bundle/format/test-bundle.ts";
import { replaceSlot } from "../../operations/bundle/format/write.ts";
import { signBundle } from "../../operations/bundle/trust/sign-bundle.ts";
import { installRoot } from "../../operations/bundle/trust/site.ts";
import { people, rootFacts, scratch, signedRoot } from "../../operations/bundle/trust/test-trust.ts";
import { bundleFolder, rootFile, writeRootFile } from "../../operations/bundle/trust/vendor-roots.ts";
import { runCli } from "../test-io.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const place = scratch();
afterAll(async () => {
  await closeBundles();
  place[Symbol.dispose]();
  removeFolders();
});
const { anna, mallory, root, other } = await people("anna", "mallory", "root", "other");
const first = await signedRoot(rootFacts({ anna }, { root }, { tenant: "demo" }), root);
const foreign = await signedRoot(rootFacts({ mallory }, { other }, { tenant: "demo" }), other);
const rootJson = rootFile(bundleFolder(place.in("vendor")), 1);
const NAMED = ["--root", rootJson, "--fingerprint", first.fingerprint];
const view = { begin: () => undefined, onBytes: () => undefined };

const job = (head: Pick<Bundle, "manifest" | "manifestBytes" | "sums">, vendor: string, roots = [first]) => {
  return { ...head, roots, folder: bundleFolder(place.in(vendor)), now: NOW };
};

let old: Bundle;
let full: string;
let delta: string;
let forged: string;
beforeAll(async () => {
  writeRootFile(rootJson, first);
  old = await openedBundle(layeredContents({ service: noise("service") }));
  const made = await openedBundle(layeredContents({ service: noise("newer") }, "b"));
  full = made.path;
  const { slot } = await signBundle(job(made, "vendor"), [anna]);
  await replaceSlot(made.files, slot);
  const signed = { ...made, slot };
  const written = async (name: string, vendor: string, roots: (typeof first)[], by: typeof anna) => {
    mkdirSync(place.in(name), { recursive: true });
    const out = join(place.in(name), "delta.tkb");
    const sign = (head: Pick<Bundle, "manifest" | "manifestBytes" | "sums">) =>
      signBundle(job(head, vendor, roots), [by]);
    const request = { old, full: signed, out, scratch: place.in(name), sign, view, signal: UNWATCHED.signal };
    return (await writeDelta(request)).files[0] ?? "";
  };
  delta = await written("good", "vendor", [first], anna);
  forged = await written("forged", "other", [foreign], mallory);
});

const apply = async (file: string, ...options: readonly string[]) => {
  const { exit, stdout } = await runCli(["bundle", "apply", file, ...options, "--json"], {
    cwd: place.folder,
    now: () => NOW,
  });
  const said = JSON.parse(stdout);
  return { exit, ...said, ...said.error };
};

describe("bundle apply", () => {
  it("writes the very bytes of the full bundle, which bundle verify takes", async () => {
    const said = await apply(delta, "--to", old.path, "-o", "full.tkb", ...NAMED);
    expect(said).toMatchObject({ exit: 0, version: 1, deployment: "site", files: [place.in("full.tkb")] });
    expect(readFileSync(place.in("full.tkb")).equals(readFileSync(full))).toBe(true);
    const verified = await runCli(["bundle", "verify", "full.tkb", ...NAMED], { cwd: place.folder, now: () => NOW });
    expect(verified.exit).toBe(0);
  });

  it("takes the trust of a site, and changes nothing of it", async () => {
    installRoot(place.in("site"), first, { dryRun: false });
    const seen = readFileSync(join(place.in("site"), "trust", "seen.json"));
    expect(await apply(delta, "--to", old.path, "-o", "by-site.tkb", "--site", "site")).toMatchObject({ exit: 0 });
    expect(readFileSync(join(place.in("site"), "trust", "seen.json"))).toEqual(seen);
  });

  it("refuses a delta that somebody else signed, one without a base, and leaves nothing", async () => {
    const before = readdirSync(place.folder);
    expect(await apply(forged, "--to", old.path, "-o", "x.tkb", ...NAMED)).toMatchObject({
      ...{ exit: 5, code: "BUNDLE_ROOT_FORK" },
    });
    expect(await apply(delta, "--to", full, "-o", "x.tkb", ...NAMED)).toMatchObject({
      code: "BUNDLE_DELTA_OTHER_BASE",
    });
    expect(await apply(full, "--to", old.path, "-o", "x.tkb", ...NAMED)).toMatchObject({
      code: "BUNDLE_DELTA_IS_FULL",
    });
    expect(await apply(delta, "--to", old.path, "-o", "no/x.tkb", ...NAMED)).toMatchObject({
      code: "BUNDLE_NOT_WRITABLE",
    });
    expect(await apply(delta, "-o", "x.tkb", ...NAMED)).toMatchObject({ exit: 2, code: "CLI_USAGE" });
    expect(readdirSync(place.folder)).toEqual(before);
  });
});
