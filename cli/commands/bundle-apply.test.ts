import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  closeBundles,
  layeredContents,
  noise,
  openedBundle,
  reopened,
} from "../../operations/bundle/delta/test-delta.ts";
import { writeDelta } from "../../operations/bundle/delta/write-delta.ts";
import type { Bundle } from "../../operations/bundle/format/read.ts";
import { UNWATCHED } from "../../operations/bundle/format/test-bundle.ts";
import { installRoot } from "../../operations/bundle/trust/site.ts";
import { testVendor } from "./test-vendor.ts";

const vendor = await testVendor();
const other = await testVendor();
afterAll(async () => {
  await closeBundles();
  vendor.remove();
  other.remove();
});
const { named } = vendor;
const view = { begin: () => undefined, onBytes: () => undefined };

let old: Bundle;
let full: string;
let delta: string;
let forged: string;
beforeAll(async () => {
  old = await openedBundle(layeredContents({ service: noise("service") }));
  full = await vendor.bundle(layeredContents({ service: noise("newer") }, "b"));
  const signed = await reopened(full);
  const written = async ({ sign }: Pick<typeof vendor, "sign">, name: string) => {
    mkdirSync(vendor.in(name));
    const [out, scratch] = [vendor.in(`${name}.tkb`), vendor.in(name)];
    const request = { old, full: signed, out, scratch, sign, view, signal: UNWATCHED.signal };
    return (await writeDelta(request)).files[0] ?? "";
  };
  delta = await written(vendor, "good");
  forged = await written(other, "forged");
});

const apply = (file: string, ...options: readonly string[]) => vendor.json("bundle", "apply", file, ...options);

describe("bundle apply", () => {
  it("writes the very bytes of the full bundle, which bundle verify takes", async () => {
    const said = await apply(delta, "--to", old.path, "-o", "full.tkb", ...named);
    expect(said).toMatchObject({ exit: 0, version: 1, deployment: "site", files: [vendor.in("full.tkb")] });
    expect(readFileSync(vendor.in("full.tkb")).equals(readFileSync(full))).toBe(true);
    expect(await vendor.json("bundle", "verify", "full.tkb", ...named)).toMatchObject({ exit: 0 });
  });

  it("takes the trust of a site, and changes nothing of it", async () => {
    installRoot(vendor.in("site"), vendor.root, { dryRun: false });
    const seen = readFileSync(join(vendor.in("site"), "trust", "seen.json"));
    expect(await apply(delta, "--to", old.path, "-o", "by-site.tkb", "--site", "site")).toMatchObject({ exit: 0 });
    expect(readFileSync(join(vendor.in("site"), "trust", "seen.json"))).toEqual(seen);
  });

  it("refuses a delta that somebody else signed, one without a base, and leaves nothing", async () => {
    const before = readdirSync(vendor.folder);
    expect(await apply(forged, "--to", old.path, "-o", "x.tkb", ...named)).toMatchObject({
      ...{ exit: 5, code: "BUNDLE_ROOT_FORK" },
    });
    expect(await apply(delta, "--to", full, "-o", "x.tkb", ...named)).toMatchObject({
      code: "BUNDLE_DELTA_OTHER_BASE",
    });
    expect(await apply(full, "--to", old.path, "-o", "x.tkb", ...named)).toMatchObject({
      code: "BUNDLE_DELTA_IS_FULL",
    });
    expect(await apply(delta, "--to", old.path, "-o", "no/x.tkb", ...named)).toMatchObject({
      code: "BUNDLE_NOT_WRITABLE",
    });
    expect(await apply(delta, "-o", "x.tkb", ...named)).toMatchObject({ exit: 2, code: "CLI_USAGE" });
    expect(readdirSync(vendor.folder)).toEqual(before);
  });
});
