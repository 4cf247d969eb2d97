import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeLock } from "../../stacks/host/lock.ts";
import type { ToolsContext } from "./context.ts";
import { ensureTool, toolKey } from "./ensure-tool.ts";
import { ensurePackedMirror, ensureProviderMirror } from "./provider-mirror.ts";

/** Writes its arguments and settings to `calls`, and a program where `-o` says. */
const WORKING_GO = `#!/bin/sh
echo "GOOS=$GOOS GOARCH=$GOARCH CGO_ENABLED=$CGO_ENABLED GOFLAGS=$GOFLAGS GOWORK=$GOWORK $*" >>"$CALLS"
while [ "$1" != -o ]; do shift; done
echo built >"$2"
`;
const FAILING_GO = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo half >"$2"
echo "downloading" >&2
echo "main.go:1: syntax error" >&2
exit 1
`;
const ENDLESS_GO = `#!/bin/sh
echo started >>"$CALLS"
exec sleep 30
`;

let dir: string;
let context: ToolsContext;
let said: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-tools-"));
  said = [];
  mkdirSync(join(dir, "bin"));
  for (const name of ["tofu", "otelcol", "terraform-provider-docker", "step-ca", "unzstd"]) {
    mkdirSync(join(dir, "tools", name), { recursive: true });
    writeFileSync(join(dir, "tools", name, "go.mod"), `module ${name}\n`);
    writeFileSync(join(dir, "tools", name, "go.sum"), "a h1:1\n");
  }
  context = {
    cacheDir: join(dir, "cache"),
    toolsDir: join(dir, "tools"),
    env: {
      PATH: [join(dir, "bin"), "/usr/bin", "/bin"].join(delimiter),
      GOOS: "linux",
      GOARCH: "arm64",
      CALLS: join(dir, "calls"),
    },
    signal: new AbortController().signal,
    onProgress: (what) => said.push(what),
  };
  fakeGo(WORKING_GO);
});
afterEach(() => rmSync(dir, { recursive: true }));

function fakeGo(script: string): void {
  writeFileSync(join(dir, "bin", "go"), script);
  chmodSync(join(dir, "bin", "go"), 0o755);
}

function calls(): readonly string[] {
  const file = join(dir, "calls");
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
}

function cached(): readonly string[] {
  const folder = join(dir, "cache", "tools");
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

describe("ensureTool", () => {
  it("builds into a folder that names version, platform and pins, and says so", async () => {
    const path = await ensureTool(context, "tofu");
    expect(path).toMatch(/cache\/tools\/tofu-1\.12\.6-linux-arm64-[0-9a-f]{12}\/tofu$/);
    expect(readFileSync(path, "utf8")).toBe("built\n");
    expect(said).toEqual([expect.stringContaining("tofu 1.12.6")]);
    expect(cached()).toHaveLength(1);
  });

  it("builds without C, without changing go.mod, and without paths of the machine, whatever the caller's environment says", async () => {
    const env = { ...context.env, CGO_ENABLED: "1", GOFLAGS: "-mod=mod", GOWORK: "/elsewhere/go.work" };
    await ensureTool({ ...context, env }, "tofu");
    expect(calls()[0]).toContain(
      "GOOS=linux GOARCH=arm64 CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off build -trimpath",
    );
  });

  it("is C where C is part of the program, and keeps it apart from the one without", async () => {
    await ensureTool(context, "step-ca-pkcs11");
    expect(calls()[0]).toMatch(/CGO_ENABLED=1 .* -tags= /);
    expect(toolKey(context, "step-ca-pkcs11")).not.toBe(toolKey(context, "step-ca"));
  });

  it("builds nothing the second time", async () => {
    const first = await ensureTool(context, "tofu");
    expect(await ensureTool(context, "tofu")).toBe(first);
    expect(calls()).toHaveLength(1);
  });

  it("needs no go for what the cache has", async () => {
    await ensureTool(context, "tofu");
    rmSync(join(dir, "bin", "go"));
    await expect(
      ensureTool({ ...context, env: { ...context.env, PATH: join(dir, "bin") } }, "tofu"),
    ).resolves.toBeDefined();
  });

  it("builds once for two that ask at the same time", async () => {
    const [one, other] = await Promise.all([ensureTool(context, "tofu"), ensureTool(context, "tofu")]);
    expect(one).toBe(other);
    expect(calls()).toHaveLength(1);
  });

  it("says that go is missing", async () => {
    const env = { ...context.env, PATH: join(dir, "empty") };
    await expect(ensureTool({ ...context, env }, "tofu")).rejects.toMatchObject({ code: "TOOL_GO_MISSING" });
    expect(cached()).toEqual([]);
  });

  it("leaves nothing of a build that failed, and shows what go said", async () => {
    fakeGo(FAILING_GO);
    await expect(ensureTool(context, "tofu")).rejects.toMatchObject({
      code: "TOOL_BUILD_FAILED",
      message: expect.stringContaining("main.go:1: syntax error"),
    });
    expect(cached()).toEqual([]);
    fakeGo(WORKING_GO);
    await expect(ensureTool(context, "tofu")).resolves.toBeDefined();
  });

  it("stops go and leaves nothing when it is cancelled", async () => {
    fakeGo(ENDLESS_GO);
    const abort = new AbortController();
    const building = ensureTool({ ...context, signal: abort.signal }, "tofu");
    const watch = setInterval(() => calls().length > 0 && abort.abort(), 10);
    await expect(building).rejects.toMatchObject({ code: "TOOL_CANCELLED" });
    clearInterval(watch);
    expect(cached()).toEqual([]);
  });

  it("stops waiting for another run when it is cancelled", async () => {
    const lock = join(dir, "cache", "tools", `${toolKey(context, "tofu")}.lock`);
    mkdirSync(dirname(lock), { recursive: true });
    takeLock(lock, process.ppid);
    const abort = new AbortController();
    const onProgress = (what: string): void => {
      said.push(what);
      abort.abort();
    };
    await expect(ensureTool({ ...context, onProgress, signal: abort.signal }, "tofu")).rejects.toMatchObject({
      code: "TOOL_CANCELLED",
    });
    expect(said).toEqual([expect.stringContaining("waiting")]);
    expect(calls()).toEqual([]);
  });

  it("takes over the lock and the unfinished folder of a run that was killed", async () => {
    const place = join(dir, "cache", "tools", toolKey(context, "tofu"));
    mkdirSync(`${place}.unfinished`, { recursive: true });
    writeFileSync(join(`${place}.unfinished`, "litter"), "");
    writeFileSync(`${place}.lock`, `${spawnSync("true").pid} 1\n`);
    await ensureTool(context, "tofu");
    expect(readdirSync(place)).toEqual(["tofu"]);
    expect(cached()).toEqual([toolKey(context, "tofu")]);
  });

  it("says which cache cannot be written", async () => {
    writeFileSync(join(dir, "file"), "");
    await expect(ensureTool({ ...context, cacheDir: join(dir, "file") }, "tofu")).rejects.toMatchObject({
      code: "TOOL_CACHE_UNWRITABLE",
    });
  });

  it.each([{ GOOS: "windows" }, { GOARCH: "riscv64" }])(
    "refuses the platform %o before it builds",
    async (platform) => {
      await expect(ensureTool({ ...context, env: { ...context.env, ...platform } }, "tofu")).rejects.toMatchObject({
        code: "TOOL_PLATFORM_UNSUPPORTED",
      });
      expect(calls()).toEqual([]);
    },
  );
});

describe("toolKey", () => {
  it.each(["go.mod", "go.sum", "main.go"])("changes with %s", (file) => {
    const before = toolKey(context, "otelcol");
    appendFileSync(join(dir, "tools", "otelcol", file), "b h1:2\n");
    expect(toolKey(context, "otelcol")).not.toBe(before);
  });

  it("does not change with a file that go does not read", () => {
    const before = toolKey(context, "otelcol");
    writeFileSync(join(dir, "tools", "otelcol", "README.md"), "words");
    expect(toolKey(context, "otelcol")).toBe(before);
  });

  it("changes with the platform", () => {
    const other = { ...context, env: { ...context.env, GOARCH: "amd64" } };
    expect(toolKey(other, "tofu")).not.toBe(toolKey(context, "tofu"));
  });
});

describe("ensureProviderMirror", () => {
  it("has the same provider under the host names of both registries, and nothing else", async () => {
    const mirror = await ensureProviderMirror(context);
    const tree = readdirSync(mirror, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(mirror.length + 1))
      .sort();
    expect(tree).toEqual(
      ["registry.opentofu.org", "registry.terraform.io"].map(
        (host) => `${host}/kreuzwerker/docker/4.6.0/linux_arm64/terraform-provider-docker_v4.6.0`,
      ),
    );
    expect(tree.map((file) => readFileSync(join(mirror, file), "utf8"))).toEqual(["built\n", "built\n"]);
  });

  it("follows the pins of the provider", async () => {
    const first = await ensureProviderMirror(context);
    appendFileSync(join(dir, "tools", "terraform-provider-docker", "go.sum"), "b h1:2\n");
    expect(await ensureProviderMirror(context)).not.toBe(first);
    expect(calls()).toHaveLength(2);
  });

  it("leaves no mirror when the provider cannot be built", async () => {
    fakeGo(FAILING_GO);
    await expect(ensureProviderMirror(context)).rejects.toMatchObject({ code: "TOOL_BUILD_FAILED" });
    expect(cached()).toEqual([]);
  });
});

describe("ensurePackedMirror", () => {
  const files = (mirror: string) =>
    readdirSync(mirror, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();

  it("has what unpacks under the provider's name, and beside it the provider, once for both registries", async () => {
    const made = files(await ensurePackedMirror(context));
    expect(made.map((file) => file.slice(file.lastIndexOf("/") + 1))).toEqual([
      ...["terraform-provider-docker_v4.6.0", "terraform-provider-docker_v4.6.0.zst"],
      ...["terraform-provider-docker_v4.6.0", "terraform-provider-docker_v4.6.0.zst"],
    ]);
    expect(made.map((file) => statSync(file).ino).slice(0, 2)).toEqual(made.map((file) => statSync(file).ino).slice(2));
    expect(zstdDecompressSync(readFileSync(made[1] ?? "")).toString()).toBe("built\n");
  });

  it("is the same bytes when it is made again, and another when the provider or what unpacks it is another", async () => {
    const first = await ensurePackedMirror(context);
    const bytes = files(first).map((file) => readFileSync(file));
    rmSync(context.cacheDir, { recursive: true });
    expect(files(await ensurePackedMirror(context)).map((file) => readFileSync(file))).toEqual(bytes);
    for (const name of ["terraform-provider-docker", "unzstd"]) {
      appendFileSync(join(dir, "tools", name, "go.sum"), "b h1:2\n");
      expect(await ensurePackedMirror(context)).not.toBe(first);
    }
  });

  it("leaves nothing when what unpacks cannot be built", async () => {
    fakeGo(FAILING_GO);
    await expect(ensurePackedMirror(context)).rejects.toMatchObject({ code: "TOOL_BUILD_FAILED" });
    expect(cached()).toEqual([]);
  });
});
