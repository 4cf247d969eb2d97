import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Part } from "./part.ts";
import { sbomOf } from "./render.ts";

const SUBJECT = { type: "container", name: "trustkern/backend", version: "0.1.0" } as const;
const ZOD: Part = {
  ...{ type: "library", name: "zod", version: "4.6.7", purl: "pkg:npm/zod@4.6.7", licence: "MIT" },
  hash: { algorithm: "SHA-512", hex: "ab".repeat(64) },
};
const CORE: Part = {
  ...{ type: "library", group: "@noble", name: "ciphers", version: "2.4.0", licence: "(MIT OR Apache-2.0)" },
  purl: "pkg:npm/%40noble/ciphers@2.4.0",
};
const LIBC: Part = {
  ...{ type: "library", name: "libc6", version: "2.36-9+deb12u14" },
  purl: "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12",
};
const ODD: Part = {
  type: "application",
  name: "odd",
  version: "1",
  purl: "pkg:generic/odd@1",
  licence: "SEE LICENSE IN X",
};
const ALL = [ZOD, CORE, LIBC, ODD];

const parsed = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString("utf8"));
const validator = new JsonStrictValidator(Version.v1dot6);

describe("sbomOf", () => {
  it("is what the schema of CycloneDX 1.6 takes", async () => {
    const bytes = sbomOf(SUBJECT, ALL);
    expect(await validator.validate(Buffer.from(bytes).toString("utf8"))).toBeNull();
    expect(parsed(bytes)).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
  });

  it("would be refused by that schema with a member of another name", async () => {
    const other = JSON.stringify({ ...parsed(sbomOf(SUBJECT, ALL)), parts: [] });
    expect(await validator.validate(other)).not.toBeNull();
  });

  it("names every part, and nothing else", () => {
    const { components } = parsed(sbomOf(SUBJECT, ALL));
    expect(components.map(({ purl }: Part) => purl).sort()).toEqual(ALL.map(({ purl }) => purl).sort());
  });

  it("has licences as identifiers, as expressions, or in their makers' words", () => {
    const { components } = parsed(sbomOf(SUBJECT, ALL));
    const licencesOf = (name: string) => components.find((one: Part) => one.name === name)?.licenses;
    expect(licencesOf("zod")).toEqual([{ license: { id: "MIT" } }]);
    expect(licencesOf("ciphers")).toEqual([{ expression: "(MIT OR Apache-2.0)" }]);
    expect(licencesOf("odd")).toEqual([{ license: { name: "SEE LICENSE IN X" } }]);
    expect(licencesOf("libc6")).toBeUndefined();
  });

  it("has the hash by which a part was fetched", () => {
    const zod = parsed(sbomOf(SUBJECT, ALL)).components.find((one: Part) => one.name === "zod");
    expect(zod.hashes).toEqual([{ alg: "SHA-512", content: "ab".repeat(64) }]);
  });

  it("gives the same bytes for the same parts in any order, and for parts that are named twice", () => {
    const order = fc.shuffledSubarray([...ALL, ...ALL], { minLength: ALL.length * 2 });
    const expected = sbomOf(SUBJECT, ALL);
    fc.assert(
      fc.property(order, (parts) => {
        expect(sbomOf(SUBJECT, parts)).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["a part more", SUBJECT, [...ALL, { ...ODD, purl: "pkg:generic/odd@2", version: "2" }]],
    ["a part less", SUBJECT, ALL.slice(1)],
    ["another subject", { ...SUBJECT, name: "trustkern/custody" }, ALL],
  ])("has another serial number for %s", (_, subject, parts) => {
    const serial = (bytes: Uint8Array) => parsed(bytes).serialNumber;
    expect(serial(sbomOf(subject, parts))).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(serial(sbomOf(subject, parts))).not.toBe(serial(sbomOf(SUBJECT, ALL)));
  });

  it("has no time in it", () => {
    expect(Buffer.from(sbomOf(SUBJECT, ALL)).toString()).not.toMatch(/timestamp|20\d\d-\d\d/);
  });
});
