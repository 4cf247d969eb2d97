import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type LayerEntries, writeLayer } from "../../images/build/layer.ts";
import { debianParts, partOf } from "./debian.ts";
import { goParts, partsOf } from "./golang.ts";
import { npmPackages, npmParts } from "./npm.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, content: unknown): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
}

describe("npmPackages", () => {
  const digest = Buffer.alloc(64, 1);
  put("package-lock.json", {
    packages: {
      "": { name: "project" },
      "node_modules/one": { integrity: `sha512-${digest.toString("base64")}` },
      "node_modules/one/node_modules/@two/two": {},
      "node_modules/unused": {},
    },
  });
  put("node_modules/one/package.json", { name: "one", version: "1.0.0", license: "MIT" });
  put("node_modules/one/node_modules/@two/two/package.json", { name: "@two/two", version: "2.0.0-rc.1+x" });
  put("node_modules/unused/package.json", { name: "unused", version: "3.0.0" });
  put("node_modules/old/package.json", { name: "old", version: "0.1.0", license: { type: "BSD" } });

  it("are those that a file is from, and not others that are installed", () => {
    const inputs = ["cli/main.ts", "node_modules/one/index.js", "node_modules/one/lib/more.js"];
    expect(npmPackages(folder, inputs)).toEqual([
      { folder: "node_modules/one", name: "one", version: "1.0.0", licence: "MIT", sha512: digest.toString("hex") },
    ]);
  });

  it("are none where only files of ours are", () => {
    expect(npmPackages(folder, ["cli/main.ts", "shared/errors.ts"])).toEqual([]);
  });

  it("have the package within another by its own name, and its package URL escaped", () => {
    const packages = npmPackages(folder, ["node_modules/one/node_modules/@two/two/a.js"]);
    expect(npmParts(packages)).toEqual([
      expect.objectContaining({
        group: "@two",
        name: "two",
        purl: "pkg:npm/%40two/two@2.0.0-rc.1+x",
        hash: undefined,
      }),
    ]);
  });

  it("have no licence where it is not said in the form of today", () => {
    expect(npmPackages(folder, ["node_modules/old/index.js"])[0]?.licence).toBeUndefined();
  });
});

describe("partOf", () => {
  const record =
    "Package: libmosquitto1\nSource: mosquitto\nVersion: 2.0.21-1~bpo12+1\nArchitecture: amd64\nDescription: x\n";

  it("names a Debian package with its release, and the source that faults are listed by", () => {
    const { purl } = partOf(record);
    expect(purl).toContain("pkg:deb/debian/libmosquitto1@2.0.21-1");
    expect(purl).toMatch(/\?arch=amd64&distro=debian-12&upstream=mosquitto$/);
  });

  it("takes the version of the source where it is another", () => {
    expect(partOf(record.replace("mosquitto\n", "gcc-12 (12.2.0-14)\n")).purl).toMatch(
      /upstream=gcc-12(?:@|%40)12\.2\.0-14$/,
    );
  });

  it.each(["Package", "Version", "Architecture"])("refuses a record without %s", (field) => {
    const without = record.replace(new RegExp(`^${field}: .*\n`, "m"), "");
    expect(() => partOf(without)).toThrow(expect.objectContaining({ code: "SBOM_UNKNOWN_PARTS" }));
  });

  it("refuses a layer without records, which an old cache may have", async () => {
    const entries: LayerEntries = new Map([["usr/lib/libc.so.6", { kind: "file", content: Buffer.from("c") }]]);
    const file = join(folder, "layer.tar");
    const layer = { file, diffId: await writeLayer(entries, file) };
    await expect(debianParts(layer)).rejects.toMatchObject({ code: "SBOM_UNKNOWN_PARTS" });
  });
});

describe("partsOf", () => {
  const program = {
    GoVersion: "go1.26.8",
    Path: "trustkern.tools/unzstd",
    Main: { Path: "trustkern.tools/unzstd", Version: "(devel)" },
    Deps: [
      { Path: "example.com/one/v2", Version: "v2.1.0", Sum: `h1:${Buffer.alloc(32, 7).toString("base64")}` },
      { Path: "example.com/old", Version: "v1.0.0", Replace: { Path: "example.com/new", Version: "v1.0.1" } },
    ],
  };
  const purls = partsOf(JSON.stringify(program)).map(({ purl }) => purl);

  it("are the standard library and the modules that were linked", () => {
    expect(purls).toEqual([
      "pkg:golang/stdlib@v1.26.8",
      "pkg:golang/example.com/one/v2@v2.1.0",
      "pkg:golang/example.com/new@v1.0.1",
    ]);
  });

  it("have the hash that go.sum has", () => {
    expect(partsOf(JSON.stringify(program))[1]?.hash).toEqual({ algorithm: "SHA-256", hex: "07".repeat(32) });
  });

  it.each([
    ["a machine without go", { PATH: "" }],
    ["a file that is no Go program", process.env],
  ])("refuse %s", async (_, env) => {
    const made = goParts(join(folder, "package-lock.json"), env, new AbortController().signal);
    await expect(made).rejects.toMatchObject({ code: "SBOM_UNKNOWN_PARTS" });
  });
});
