import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { decideTrust } from "./decide.ts";
import type { SignedRoot } from "./root.ts";
import { signBundle } from "./sign-bundle.ts";
import { installRoot, readSiteTrust, recordSeen, siteTrustFiles } from "./site.ts";
import { head, MADE_AT, people, question, rootFacts, scratch, signedRoot } from "./test-trust.ts";

const { anna, root, other } = await people("anna", "root", "other");
const one = await signedRoot(rootFacts({ anna }, { root }), root);
const two = await signedRoot(rootFacts({ anna }, { root }, { version: 2 }), root);
const three = await signedRoot(rootFacts({ anna }, { root }, { version: 3 }), root);
const code = (expected: string) => expect.objectContaining({ code: expected });

async function taken(site: string, folder: string, mark: string, roots: readonly SignedRoot[] = [one]) {
  const { slot } = await signBundle({ ...head(mark), roots, folder, now: MADE_AT }, [anna]);
  const { root: siteRoot, seen } = readSiteTrust(site);
  return decideTrust(question({ ...head(mark), slot, siteRoot }, { seen }));
}

describe("a site", () => {
  it("remembers what it has had, goes over to its root, and does so again", async () => {
    using place = scratch();
    installRoot(place.in("site"), one, { dryRun: false });
    recordSeen(place.in("site"), await taken(place.in("site"), place.in("v"), "a"));
    const decision = await taken(place.in("site"), place.in("v"), "b", [one, two]);
    recordSeen(place.in("site"), decision);
    recordSeen(place.in("site"), decision);
    const { root: now, seen } = readSiteTrust(place.in("site"));
    expect([now.root.version, seen.version, seen.deployment]).toEqual([2, 2, "plant"]);
    const old = await signBundle({ ...head("c"), roots: [one], folder: place.in("w"), now: MADE_AT }, [anna]);
    expect(() => decideTrust(question({ ...head("c"), slot: old.slot, siteRoot: now }, { seen }))).toThrow(
      code("BUNDLE_ROOT_OLD"),
    );
  });

  it("says where to name it where no root is there", () => {
    using place = scratch();
    expect(() => readSiteTrust(place.in("site"))).toThrow(
      expect.objectContaining({
        code: "BUNDLE_ROOT_MISSING",
        fix: expect.stringMatching(/--site \/.*\/site; or .*--site DIR/),
      }),
    );
  });

  it("never goes back, also when an older decision comes late", async () => {
    using place = scratch();
    installRoot(place.in("site"), one, { dryRun: false });
    const a = await taken(place.in("site"), place.in("v"), "a");
    recordSeen(place.in("site"), await taken(place.in("site"), place.in("v"), "b"));
    expect(() => recordSeen(place.in("site"), a)).toThrow(code("BUNDLE_ROLLBACK"));
    // A person gave it a newer root meanwhile.
    const late = await taken(place.in("site"), place.in("v"), "c");
    installRoot(place.in("site"), two, { dryRun: false });
    expect(() => recordSeen(place.in("site"), late)).toThrow(code("BUNDLE_ROOT_OLD"));
    expect(readSiteTrust(place.in("site"))).toMatchObject({ root: { root: { version: 2 } }, seen: { version: 2 } });
  });

  it("remembers no delta, which is only the way to a full bundle", async () => {
    using place = scratch();
    installRoot(place.in("site"), one, { dryRun: false });
    const decision = await taken(place.in("site"), place.in("v"), "a");
    const { statement } = decision;
    const delta = { ...statement, predicate: { ...statement.predicate, base: decision.manifest } };
    expect(() => recordSeen(place.in("site"), { ...decision, statement: delta })).toThrow(TypeError);
  });

  it.each<[string, (files: ReturnType<typeof siteTrustFiles>) => void]>([
    ["has forgotten what it has had", ({ seen }) => rmSync(seen)],
    ["has lost its root, and has had bundles", ({ root: path }) => rmSync(path)],
    ["has half of what it has had", ({ seen }) => writeFileSync(seen, readFileSync(seen).subarray(0, 20))],
    ["has an edited form of it", ({ seen }) => writeFileSync(seen, readFileSync(seen, "utf8").replace(":1}", ": 1}"))],
    [
      "has a version below nothing",
      ({ seen }) => writeFileSync(seen, readFileSync(seen, "utf8").replace(":1}", ":-1}")),
    ],
    [
      "has an edited root",
      ({ root: path }) => writeFileSync(path, readFileSync(path, "utf8").replace('"sig":"ME', '"sig":"MF')),
    ],
    ["has half a root", ({ root: path }) => writeFileSync(path, readFileSync(path).subarray(0, 99))],
    [
      "has a folder in its place",
      ({ seen }) => {
        rmSync(seen);
        mkdirSync(seen);
      },
    ],
  ])("that %s takes nothing", async (_, harm) => {
    using place = scratch();
    installRoot(place.in("site"), one, { dryRun: false });
    recordSeen(place.in("site"), await taken(place.in("site"), place.in("v"), "a"));
    harm(siteTrustFiles(place.in("site")));
    expect(() => readSiteTrust(place.in("site"))).toThrow(code("BUNDLE_SITE_CORRUPT"));
  });

  it("that nobody gave a root takes nothing, also when an installation was cut short", () => {
    using place = scratch();
    expect(() => readSiteTrust(place.in("site"))).toThrow(code("BUNDLE_ROOT_MISSING"));
    installRoot(place.in("site"), one, { dryRun: false });
    rmSync(siteTrustFiles(place.in("site")).root);
    expect(() => readSiteTrust(place.in("site"))).toThrow(code("BUNDLE_ROOT_MISSING"));
    expect(installRoot(place.in("site"), one, { dryRun: false })).toBe(true);
  });

  it.each(["trust", "."])("gets no root by way of a link in place of %s", (name) => {
    using place = scratch();
    const [victim, site] = [place.in("victim"), place.in("site")];
    mkdirSync(victim, { mode: 0o755 });
    if (name === "trust") mkdirSync(site);
    symlinkSync(victim, name === "trust" ? siteTrustFiles(site).folder : site);
    expect(() => installRoot(site, one, { dryRun: false })).toThrow(code("BUNDLE_SITE_FOREIGN"));
    expect([readdirSync(victim), statSync(victim).mode & 0o777]).toEqual([[], 0o755]);
  });

  it("gets no other root than one that follows", async () => {
    using place = scratch();
    const site = place.in("site");
    expect(installRoot(site, one, { dryRun: true })).toBe(true);
    expect(existsSync(siteTrustFiles(site).folder)).toBe(false);
    installRoot(site, one, { dryRun: false });
    const fork = await signedRoot(rootFacts({ anna: other }, { root: other }), other);
    const stolen = await signedRoot(rootFacts({ anna: other }, { root: other }, { version: 2 }), other);
    const unsigned = await signedRoot(rootFacts({ anna }, { root }, { version: 2 }));
    const foreign = await signedRoot(rootFacts({ anna }, { root }, { version: 2, tenant: "other" }), root);
    for (const [given, expected] of [
      ...([
        [fork, "BUNDLE_ROOT_INSTALLED"],
        [three, "BUNDLE_ROOT_INSTALLED"],
        [stolen, "BUNDLE_ROOT_BELOW_THRESHOLD"],
      ] as const),
      ...([
        [unsigned, "BUNDLE_ROOT_BELOW_THRESHOLD"],
        [foreign, "BUNDLE_OTHER_TENANT"],
      ] as const),
    ] as const) {
      expect(() => installRoot(site, given, { dryRun: false })).toThrow(code(expected));
    }
    expect(installRoot(site, two, { dryRun: false })).toBe(true);
    expect(readSiteTrust(site).root.root.version).toBe(2);
  });
});
