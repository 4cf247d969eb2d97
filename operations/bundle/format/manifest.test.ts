import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { digestOf, type Manifest, manifestDigest, parseManifest, renderManifest } from "./manifest.ts";
import { packed, removeFolders } from "./test-bundle.ts";

let good: Manifest;
beforeAll(async () => {
  good = (await packed()).manifest;
  removeFolders();
});

const codeOf = (bytes: Uint8Array | string): unknown => {
  try {
    parseManifest(Buffer.from(bytes));
    return undefined;
  } catch (thrown) {
    return (thrown as { code?: unknown }).code;
  }
};
/** Of a manifest with other members, rendered as it should be. */
const codeWith = (change: (manifest: Manifest) => object): unknown =>
  codeOf(renderManifest({ ...good, ...change(good) } as Manifest));
const messageOf = (bytes: Uint8Array | string): string => {
  try {
    parseManifest(Buffer.from(bytes));
    return "";
  } catch (thrown) {
    return String(thrown);
  }
};
/** The files of the bundle come first: what is named here has to stand behind "a-2", or its order is what is refused. */
const withFiles = (...paths: readonly string[]) =>
  codeWith(({ files }) => {
    const [script, text] = [files[1]?.digest ?? "", files[0]?.digest ?? ""];
    const both = ["a-1", "a-2"].map((path, index) => ({ path, digest: index ? script : text, executable: false }));
    return { files: [...both, ...paths.map((path) => ({ path, digest: text, executable: false }))] };
  });

describe("a manifest", () => {
  it("is what was rendered", () => {
    expect(parseManifest(renderManifest(good))).toEqual(good);
    expect(manifestDigest(good)).toBe(digestOf(renderManifest(good)));
  });

  it.each([
    ["empty", ""],
    ["no JSON", "{"],
    ["a list", "[]\n"],
    ["null", "null\n"],
    ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ["a byte order mark", "\ufeff{}\n"],
    ["nested deeply", "[".repeat(200_000)],
  ])("is refused when it is %s", (_, bytes) => {
    expect(codeOf(bytes)).toBe("BUNDLE_MALFORMED");
  });

  it("is refused in another form of the same JSON", () => {
    const text = Buffer.from(renderManifest(good)).toString();
    expect(codeOf(text.trimEnd())).toBe("BUNDLE_MALFORMED");
    expect(codeOf(` ${text}`)).toBe("BUNDLE_MALFORMED");
    expect(codeOf(text.replace('"tenant"', '"\\u0074enant"'))).toBe("BUNDLE_MALFORMED");
    expect(codeOf(text.replace('"tenant":"demo"', '"tenant":"other","tenant":"demo"'))).toBe("BUNDLE_MALFORMED");
    expect(codeOf(text.replace(/"bytes":(\d+)/, '"bytes":$1.0'))).toBe("BUNDLE_MALFORMED");
  });

  it("is refused with more than 4 MiB", () => {
    expect(messageOf(Buffer.alloc(4 * 1_048_576 + 1, " "))).toContain("accepted: 4194304 at most");
  });

  it("is refused before it is parsed with more values than the longest lists have", () => {
    expect(messageOf(`{"blobs":[${"{},".repeat(100_000)}`)).toContain("more than 200000 of");
  });

  it("is refused by the length of a list before what is in it is looked at", () => {
    const blobs = Array.from({ length: 20_001 }, () => ({}));
    expect(messageOf(renderManifest({ ...good, blobs } as unknown as Manifest))).toMatch(
      /refused: "blobs" Too big: expected array to have <=20000 items$/,
    );
  });

  it("is refused with a schema that is a list in lists", () => {
    expect(codeOf(`{"schema":${"[".repeat(90_000)}${"]".repeat(90_000)}}`)).toBe("BUNDLE_MALFORMED");
  });

  it("is refused with a name of a million characters in a message of 300", () => {
    const message = messageOf(renderManifest({ ...good, ["x".repeat(1_000_000)]: 1 } as unknown as Manifest));
    expect(message).toContain('Unrecognized key: "xxx');
    expect(message.length).toBeLessThan(300);
  });

  it("of another form is said to be so", () => {
    expect(codeWith(() => ({ schema: "trustkern.bundle/2" }))).toBe("BUNDLE_OTHER_FORM");
    expect(codeWith(() => ({ schema: "trustkern.evidence/1" }))).toBe("BUNDLE_MALFORMED");
  });

  it.each([
    "../evil",
    "/etc/passwd",
    "b/../../evil",
    "b/./c",
    "b//c",
    "b/",
    "..",
    ".",
    "",
    "b\\c",
    "b\0c",
    "b\nc",
    "C:evil",
    "b/..evil/c",
    "b/-c",
    "ſtart",
    "ﬁle",
    "e\u0301",
    "\u202eb",
    "b ",
    "~b",
    "b".repeat(201),
    `b${"/b".repeat(16)}`,
  ])("is refused with the file %j", (path) => {
    expect(withFiles(path)).toBe("BUNDLE_MALFORMED");
  });

  it("takes files that begin with a dot", () => {
    expect(withFiles("stack/.terraform.lock.hcl", "stack/v1.0+x@y_z")).toBeUndefined();
  });

  it.each([
    ["two of one name", ["b", "b"]],
    ["another order", ["c", "b"]],
    ["names that case alone tells apart", ["aB", "ab"]],
    ["folders that case alone tells apart", ["aB/c", "ab/d"]],
    ["a file that is a folder", ["b", "b/c"]],
    ["a file that is a folder when case is folded", ["aB", "ab/c"]],
    ["a folder that is a file when case is folded", ["aB/c", "ab"]],
  ])("is refused with files with %s", (_, paths) => {
    expect(withFiles(...paths)).toBe("BUNDLE_MALFORMED");
  });

  it.each(["signatures.json", "MANIFEST.json", "SHA256SUMS", "sha256sums", "segments/0001.zst", "Segments/x"])(
    "is refused with the plain file %s, a name of the form",
    (path) => {
      const file = { path, digest: digestOf("x"), bytes: 1, executable: false };
      expect(codeWith(() => ({ plain: [file] }))).toBe("BUNDLE_MALFORMED");
    },
  );

  it.each<[string, (manifest: Manifest) => object]>([
    ["a member more", () => ({ more: 1 })],
    ["no tenant", () => ({ tenant: undefined })],
    ["a tenant in capitals", () => ({ tenant: "Demo" })],
    [
      "a blob that nothing names",
      ({ blobs, segments: [first, ...rest] }) => ({
        blobs: [{ digest: digestOf("more"), bytes: 0 }, ...blobs],
        segments: [{ ...first, blobs: (first?.blobs ?? 0) + 1 }, ...rest],
      }),
    ],
    [
      "a blob that is missing",
      ({ images }) => ({
        images: images.map((image) => ({ ...image, config: digestOf("missing") })),
      }),
    ],
    ["a blob twice", ({ blobs }) => ({ blobs: blobs.map(() => blobs[0]) })],
    ["more blobs than segments have", ({ segments }) => ({ segments: segments.slice(0, 1) })],
    ["fewer blobs than segments have", ({ blobs }) => ({ blobs: blobs.slice(0, -1) })],
    [
      "another size of what is unpacked",
      ({ segments }) => ({
        segments: segments.map((segment) => ({ ...segment, rawBytes: segment.rawBytes + 1 })),
      }),
    ],
    ["an empty segment", ({ segments }) => ({ segments: segments.map((segment) => ({ ...segment, bytes: 0 })) })],
    [
      "a segment that no tar entry can be",
      ({ segments }) => ({
        segments: segments.map((segment) => ({ ...segment, bytes: 2 ** 33 })),
      }),
    ],
    ["images in another order", ({ images }) => ({ images: images.toReversed() })],
    [
      "one reference for two images",
      ({ images }) => ({
        images: images.map((image) => ({ ...image, reference: "trustkern/one:1" })),
      }),
    ],
    [
      "one repository for two images, by two tags",
      ({ images }) => ({
        images: images.map((image, index) => ({ ...image, reference: `mirror:5000/trustkern/one:${index}` })),
      }),
    ],
    [
      "a reference without a tag",
      ({ images }) => ({
        images: images.map((image) => ({ ...image, reference: `trustkern/${image.name}` })),
      }),
    ],
    ["an image without layers", ({ images }) => ({ images: images.map((image) => ({ ...image, layers: [] })) })],
    [
      "a digest in capitals",
      ({ images }) => ({
        images: images.map((image) => ({ ...image, config: image.config.toUpperCase() })),
      }),
    ],
    ["a negative size", ({ plain }) => ({ plain: plain.map((file) => ({ ...file, bytes: -1 })) })],
    ["half a byte", ({ plain }) => ({ plain: plain.map((file) => ({ ...file, bytes: 0.5 })) })],
  ])("is refused with %s", (_, change) => {
    expect(codeWith(change)).toBe("BUNDLE_MALFORMED");
  });

  it("names everything that is wrong, and no more than ten", () => {
    const files = Array.from({ length: 30 }, () => ({ path: "..", digest: "x", executable: 1 }));
    const message = messageOf(renderManifest({ ...good, files } as unknown as Manifest));
    expect(message).toMatch(/"files\.0\.path".*"files\.0\.digest".*; and more$/);
    expect(message.match(/"files\./g)).toHaveLength(10);
  });

  it("is refused without what it would have a terminal do", () => {
    const evil = "\u001b[2J\u202e";
    expect(messageOf(renderManifest({ ...good, ...{ [evil]: 1 } } as Manifest))).toContain('Unrecognized key: "?[2J?"');
    const message = messageOf(`{"a":${evil}`);
    expect([...evil].filter((each) => each < " " && message.includes(each))).toEqual([]);
  });

  it("never is anything but parsed or refused", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(codeOf(`${json}\n`)).toBe("BUNDLE_MALFORMED");
      }),
      { numRuns: 200 },
    );
  });
});
