import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { layoutOf } from "../../operations/bundle/format/layout.ts";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { removeFolders, testFolder } from "../../operations/bundle/format/test-bundle.ts";
import type { BlobSource } from "../../operations/bundle/format/write.ts";
import type { Runtime } from "../../operations/bundle/toolkit/layout.ts";
import { startScriptOf, take, testToolkit, writtenToolkit } from "../../operations/bundle/toolkit/test-toolkit.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { ensureTool } from "../../operations/tools/ensure-tool.ts";

afterEach(removeFolders);

let program = "";
beforeAll(async () => {
  const toolsDir = join(import.meta.dirname, "..", "..", "tools");
  const asked = { toolsDir, env: process.env, signal: new AbortController().signal, onProgress: () => undefined };
  program = await ensureTool({ ...asked, cacheDir: defaultCacheDir(process.env, homedir()) }, "unzstd");
});

/** With the program that a real one has. */
const toolkit = (runtime?: (layers: readonly BlobSource[]) => Runtime["layers"]) =>
  testToolkit(runtime, readFileSync(program));

/** Runs the script in an empty folder, with nothing but a machine's usual programs. */
function start(script: string, bundle: string, args: readonly string[] = [], cwd = testFolder()) {
  const { status, stdout, stderr } = spawnSync("/bin/sh", [script, bundle, ...args], {
    cwd,
    env: { PATH: "/usr/bin:/bin" },
    encoding: "utf8",
  });
  return { status, stdout, stderr, cwd, there: readdirSync(cwd) };
}

/** Runs the script by a shell that does something else before, with the same process id. */
function startAfter(before: string, script: string, bundle: string, bin = "/usr/bin") {
  const cwd = testFolder();
  const { status, stderr } = spawnSync("/bin/sh", ["-ec", `${before}\nexec /bin/sh "$@"`, "sh", script, bundle, "x"], {
    cwd,
    env: { PATH: `${bin}:/usr/bin:/bin` },
    encoding: "utf8",
  });
  return { status, stderr, cwd, there: readdirSync(cwd) };
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(file, bytes);
}

describe("start.sh", () => {
  it("unpacks the toolkit and runs it, and leaves nothing else behind", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const { status, stdout, cwd, there } = start(startScriptOf(made), bundle, ["status", "--json"]);
    expect({ status, stdout, there }).toEqual({
      status: 0,
      stdout: `ran from ${join(cwd, "trustkern-0.1.0")}: status --json\n`,
      there: ["trustkern-0.1.0"],
    });
  });

  it("says where it unpacked and what comes next where it is not told what to run, and ends well", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const { status, stdout, stderr } = start(startScriptOf(made), bundle);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const told = stdout.split("\n").filter((line) => line.startsWith("  "));
    expect(told).toEqual([
      "  ./trustkern-0.1.0/trustkern bundle trust install --root root-1.json --fingerprint sha256:... --site /opt/trustkern/site",
      `  ./trustkern-0.1.0/trustkern bundle verify ${bundle}`,
      `  ./trustkern-0.1.0/trustkern bundle install ${bundle}`,
    ]);
    expect(stdout).toContain("no signature was looked at");
    expect(stdout).not.toContain("ran from");
  });

  it("takes a folder that it has unpacked already, and writes nothing into it", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const { cwd } = start(startScriptOf(made), bundle);
    const { ino } = statSync(join(cwd, "trustkern-0.1.0/lib/trustkern.mjs"));
    expect(start(startScriptOf(made), bundle, ["x"], cwd)).toMatchObject({
      ...{ status: 0, there: ["trustkern-0.1.0"], stdout: expect.stringContaining("trustkern-0.1.0: x\n") },
    });
    expect(statSync(join(cwd, "trustkern-0.1.0/lib/trustkern.mjs")).ino).toBe(ino);
  });

  it.each([
    ["another byte in a file", "chmod u+w lib/trustkern.mjs && echo x >lib/trustkern.mjs"],
    ["another byte in a file of a layer", "echo x >runtime/few/libatomic.so.1"],
    ["a file too few", "rm -f lib/trustkern.mjs"],
    ["a file too many", ": >lib/more.mjs"],
    ["a link too many", "ln -s trustkern.mjs lib/more.mjs"],
    ["a link in place of a file", "mv lib/trustkern.mjs ../main && ln -s ../../main lib/trustkern.mjs"],
    ["a folder that everybody may write in", "chmod o+w lib"],
    ["a file that a group may write", "chmod g+w trustkern"],
    ["a link in place of the folder", "cd .. && mv trustkern-0.1.0 other && ln -s other trustkern-0.1.0"],
  ])("runs nothing of a folder with %s", async (_, change) => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const { cwd } = start(startScriptOf(made), bundle);
    expect(spawnSync("/bin/sh", ["-ec", change], { cwd: join(cwd, "trustkern-0.1.0") }).status).toBe(0);
    expect(start(startScriptOf(made), bundle, ["x"], cwd)).toMatchObject({
      ...{
        status: 1,
        stdout: "",
        stderr: expect.stringContaining("is there already, and is not what this bundle has"),
      },
    });
  });

  it.each([
    ["a text", "signature\n"],
    ["nothing", ""],
    ["zeros", "\0".repeat(4096)],
    ["a tar of something else", "file.txt\0\0\0\0\0\0\0\0"],
  ])("says of %s that it is no bundle, whatever lies where it would unpack", async (_, content) => {
    const cwd = testFolder();
    mkdirSync(join(cwd, "trustkern-0.1.0/something"), { recursive: true });
    writeFileSync(join(cwd, "file"), content);
    const { status, stderr } = start(startScriptOf(await toolkit()), "file", [], cwd);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("file is no bundle") });
  });

  it("gives every file its bytes and mode, and one that is twice named both names", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const { cwd } = start(startScriptOf(made), bundle, ["--to", "here", "x"]);
    for (const { path, executable, source } of made.files) {
      const place = join(cwd, path.replace("toolkit", "here"));
      expect(readFileSync(place)).toEqual(Buffer.concat(await source.open().toArray()));
      expect(statSync(place).mode & 0o777).toBe(executable ? 0o555 : 0o444);
    }
    expect(readFileSync(join(cwd, "here/runtime/few/libatomic.so.1"), "utf8")).toBe("atomic");
    expect(statSync(join(cwd, "here/runtime/node")).mode & 0o777).toBe(0o755);
    expect(existsSync(join(cwd, "here/etc"))).toBe(false);
  });

  it("takes a bundle that was split, by its first part", async () => {
    const made = await toolkit();
    const files = await writtenToolkit(made, 131_072);
    expect(files.length).toBeGreaterThan(1);
    expect(start(startScriptOf(made), files[0] ?? "", ["x"]).status).toBe(0);
  });

  it("names the part that is missing, and says so where it may be the last one", async () => {
    const made = await toolkit();
    const files = await writtenToolkit(made, 131_072);
    expect(files.length).toBeGreaterThan(3);
    const [first = "", second = "", last = ""] = [files[0], files[1], files.at(-1)];
    rmSync(last);
    expect(start(startScriptOf(made), first)).toMatchObject({
      ...{ status: 1, there: [], stderr: expect.stringContaining("it has more parts than") },
    });
    rmSync(second);
    expect(start(startScriptOf(made), first).stderr).toContain(`${second} is missing`);
  });

  it.each([
    ["no bundle", "", []],
    ["a bundle that is not there", "/nowhere/site.tkb", []],
  ])("refuses %s", async (_, bundle, args) => {
    const { status, there } = start(startScriptOf(await toolkit()), bundle, args);
    expect({ status, there }).toEqual({ status: 1, there: [] });
  });

  it("refuses a folder that has something in it, and takes an empty one", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const cwd = testFolder();
    mkdirSync(join(cwd, "full"));
    writeFileSync(join(cwd, "full", "mine"), "mine");
    mkdirSync(join(cwd, "empty"));
    expect(start(startScriptOf(made), bundle, ["--to", "full"], cwd)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("full is there already"),
    });
    expect(readdirSync(join(cwd, "full"))).toEqual(["mine"]);
    expect(start(startScriptOf(made), bundle, ["--to", "empty"], cwd).status).toBe(0);
  });

  it("refuses a file in place of the folder", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const cwd = testFolder();
    writeFileSync(join(cwd, "file"), "");
    expect(start(startScriptOf(made), bundle, ["--to", "file"], cwd).status).toBe(1);
  });

  it("refuses a bundle for another machine", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const script = startScriptOf(made);
    writeFileSync(script, readFileSync(script, "utf8").replace(/^machine=.*$/m, "machine=vax"));
    expect(start(script, bundle)).toMatchObject({ status: 1, there: [], stderr: expect.stringContaining("vax") });
  });

  it("refuses a disk that is too small before it unpacks", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const script = startScriptOf(made);
    writeFileSync(script, readFileSync(script, "utf8").replace(/^kib=.*$/m, "kib=1000000000000"));
    expect(start(script, bundle)).toMatchObject({ status: 1, there: [], stderr: expect.stringContaining("are free") });
  });

  it.each(["unzstd-", "segments/0001.zst"])(
    "runs nothing and leaves nothing of a bundle with a flipped bit in %s",
    async (name) => {
      const made = await toolkit();
      const [bundle = ""] = await writtenToolkit(made);
      const { manifest, close } = await openBundle(bundle);
      await close();
      const entry = layoutOf(manifest).entries.find(({ path }) => path.startsWith(name));
      flip(bundle, (entry?.offset ?? 0) + Math.floor((entry?.bytes ?? 0) / 2));
      const { status, stdout, there } = start(startScriptOf(made), bundle);
      expect({ status, stdout, there }).toEqual({ status: 1, stdout: "", there: [] });
    },
  );

  it("does not run another program that unpacks, even one that unpacks well", async () => {
    const made = await toolkit();
    const trace = join(testFolder(), "trace");
    const plain = made.contents.plain.map((file) => {
      if (!file.path.startsWith("unzstd-")) return file;
      return { ...file, content: Buffer.from(`#!/bin/sh\n: >'${trace}'\nexec '${program}' "$@"\n`) };
    });
    const [bundle = ""] = await writtenToolkit({ ...made, contents: { ...made.contents, plain } });
    const { status, stdout, there } = start(startScriptOf(made), bundle);
    expect({ status, stdout, there, ran: existsSync(trace) }).toEqual({ status: 1, stdout: "", there: [], ran: false });
  });

  it.each([
    ["a folder", 'mkdir "$stage"'],
    ["a folder with a link in it", 'mkdir "$stage" elsewhere; ln -s ../elsewhere "$stage/toolkit"'],
    ["a link to a folder", 'mkdir elsewhere; ln -s elsewhere "$stage"'],
  ])("writes nothing into %s that somebody made where it would unpack", async (_, prepare) => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const before = `stage=trustkern-0.1.0.partial-$$; ${prepare}`;
    const { status, stderr, cwd, there } = startAfter(before, startScriptOf(made), bundle);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("cannot write beside") });
    expect(there).not.toContain("trustkern-0.1.0");
    expect(there.filter((name) => name === "elsewhere").flatMap((name) => readdirSync(join(cwd, name)))).toEqual([]);
  });

  it.each([
    ["a folder", 'mkdir "$to"'],
    ["a link to a folder", 'mkdir elsewhere; ln -s elsewhere "$to"'],
    ["a folder, and takes away what went into it", 'mkdir "$to"', 'mv "$to/toolkit" "$to/away"'],
  ])("runs nothing where somebody puts %s in its place at the last moment", async (_, plant, after = ":") => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const bin = testFolder();
    const theirs = `printf '#!/bin/sh\\n: >"${bin}/ran"\\n' >"$to/trustkern"; chmod +x "$to/trustkern"`;
    const mv = `#!/bin/sh
to=trustkern-0.1.0
case $2 in */"$to") ${plant}; ${theirs}; /bin/mv "$@"; ${after} ;; *) exec /bin/mv "$@" ;; esac
`;
    writeFileSync(join(bin, "mv"), mv, { mode: 0o755 });
    const { status, stderr } = startAfter(":", startScriptOf(made), bundle, bin);
    expect({ status, stderr, ran: existsSync(join(bin, "ran")) }).toEqual({
      ...{ status: 1, stderr: expect.stringContaining("somebody else made"), ran: false },
    });
  });

  it("unpacks where nobody else gets in, into folders that everybody may read, whatever the umask", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    const bin = testFolder();
    // It is asked for the room in the folder that the script has just made.
    writeFileSync(join(bin, "df"), `#!/bin/sh\nstat -c %a "$2" >'${bin}/mode'\nexec /bin/df "$@"\n`, { mode: 0o755 });
    for (const umask of ["000", "077"]) {
      const { status, cwd } = startAfter(`umask ${umask}`, startScriptOf(made), bundle, bin);
      expect({ status, mode: readFileSync(join(bin, "mode"), "utf8") }).toEqual({ status: 0, mode: "700\n" });
      for (const folder of [".", "runtime", "runtime/few", "lib"]) {
        expect(statSync(join(cwd, "trustkern-0.1.0", folder)).mode & 0o777).toBe(0o755);
      }
    }
  });

  it("runs nothing of another bundle than the one that it lies in", async () => {
    const [one, other] = [
      await toolkit(),
      await toolkit(([packages]) => [
        { digest: packages?.digest ?? "", take: [take("etc/passwd", "runtime/node", "nobody", true)] },
      ]),
    ];
    const [bundle = ""] = await writtenToolkit(other);
    expect(start(startScriptOf(one), bundle)).toMatchObject({ status: 1, stdout: "", there: [] });
  });

  it("runs nothing of half a bundle", async () => {
    const made = await toolkit();
    const [bundle = ""] = await writtenToolkit(made);
    truncateSync(bundle, statSync(bundle).size - 4096);
    expect(start(startScriptOf(made), bundle)).toMatchObject({ status: 1, stdout: "", there: [] });
  });
});
