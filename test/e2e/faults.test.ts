import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT, scratch } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";

const { dir, remove } = scratch("faults");
const trustkern = join(PROJECT, "trustkern");
afterAll(remove);

function upOnce(...args: readonly string[]): Promise<Ended> {
  return runProgram(trustkern, ["up", "--once", "--json", ...args], { cwd: dir, timeoutSeconds: 120 });
}

/** The one error of a run that failed: on stdout, on one line, and nothing else there. */
function errorOf({ stdout }: Ended): { code: string; message: string; path: string | null; fix: string } {
  expect(stdout.trimEnd()).not.toContain("\n");
  const { error } = JSON.parse(stdout);
  expect(error.fix.length).toBeGreaterThan(10);
  return error;
}

describe("a deployment that cannot come up", () => {
  it("names the port that is in use, and what asks for it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const file = join(dir, "port.yaml");
    writeFileSync(file, `name: ports\ntenant: ports\nprofile: dev\nengine: embedded\nports:\n  broker: ${port}\n`);
    const ended = await upOnce("-f", file, "--dir", join(dir, "port"));
    server.close();
    expect(errorOf(ended)).toMatchObject({ code: "PORT_IN_USE", message: expect.stringContaining(String(port)) });
    expect(ended.code).toBe(4);
    expect(readdirSync(join(dir, "port"))).not.toContain("lock");
  });

  it("says every mistake of a trustkern.yaml in one report, before anything is written", async () => {
    const file = join(dir, "wrong.yaml");
    writeFileSync(
      file,
      "name: Wrong\ntenant: t\nprofile: dev\nengine: embeded\nsimulator:\n  sensors: 0.5\nports: 1\nnonsense: 1\n",
    );
    const ended = await upOnce("-f", file, "--dir", join(dir, "wrong"));
    expect(ended.code).toBe(2);
    expect(errorOf(ended).message.match(/line \d+, column \d+, \S+:/g)?.length).toBe(5);
    expect(readdirSync(dir)).not.toContain("wrong");
  });

  it.each(["not a state directory", "/dev/null"])("refuses a state directory that is %s", async (kind) => {
    const place = kind === "/dev/null" ? kind : join(dir, "a-file");
    if (place !== kind) writeFileSync(place, "");
    const ended = await upOnce("--dir", place);
    expect(errorOf(ended)).toMatchObject({ code: "STATE_UNWRITABLE", path: expect.stringContaining(place) });
    expect(ended.code).toBe(4);
  });

  it("refuses somebody else's folder, and leaves it as it was", async () => {
    const place = join(dir, "foreign");
    mkdirSync(place, { mode: 0o755 });
    writeFileSync(join(place, "mine.txt"), "mine");
    const ended = await upOnce("--dir", place);
    expect(errorOf(ended)).toMatchObject({ code: "STATE_FOREIGN", message: expect.stringContaining("mine.txt") });
    expect(readdirSync(place)).toEqual(["mine.txt"]);
    expect(statSync(place).mode & 0o777).toBe(0o755);
  });

  it("refuses a fixture that is not one, and quotes nothing of it", async () => {
    const file = join(dir, "fixture.json");
    writeFileSync(file, '{"recipient":{"private_key":"canary-of-a-private-key"},"allowlist":"no"}');
    const ended = await upOnce("--fixture", file, "--dir", join(dir, "fixture"));
    expect(errorOf(ended)).toMatchObject({ code: "FIXTURE_INVALID" });
    expect(ended.stdout + ended.stderr).not.toContain("canary");
  });
});

describe("a state directory that was changed", () => {
  const state = join(dir, "state");
  const inside = (...parts: readonly string[]): string => join(state, ...parts);

  beforeAll(async () => {
    const ended = await upOnce("--dir", state);
    expect(ended.code).toBe(0);
  }, 120_000);

  /** Runs with a file changed, and with it restored. */
  async function withChanged(file: string, content: string | Uint8Array): Promise<Ended> {
    const before = readFileSync(file);
    writeFileSync(file, content);
    try {
      return await upOnce("--dir", state);
    } finally {
      writeFileSync(file, before);
    }
  }

  const keyFile = (key: string): string => inside("volumes", "custody", "keys", key);

  it("a wrong passphrase is one error of authentication, and leaves the keys as they were", async () => {
    const keys = () =>
      readdirSync(inside("volumes", "custody", "keys")).map((key) => readFileSync(keyFile(key), "hex"));
    const before = keys();
    const ended = await withChanged(inside("secrets", "custody", "passphrase"), "A".repeat(43));
    expect(errorOf(ended).code).toBe("CUSTODY_PASSPHRASE_WRONG");
    expect(ended.code).toBe(3);
    expect(keys()).toEqual(before);
  });

  it("a damaged key file is corrupt, and is not made anew", async () => {
    for (const key of readdirSync(inside("volumes", "custody", "keys"))) {
      const damaged = Buffer.from(readFileSync(keyFile(key)));
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
      expect(errorOf(await withChanged(keyFile(key), damaged)).code, key).toMatch(/^CUSTODY_(STATE|STORE)_CORRUPT$/);
    }
  });

  it("generations that are not those of the record are refused", async () => {
    const file = inside("volumes", "custody", "state", "generations.json");
    const changed = readFileSync(file, "utf8").replace('"active"', '"retired"');
    expect(errorOf(await withChanged(file, changed)).code).toBe("CUSTODY_STATE_CORRUPT");
  });

  it.each(["", "{}", "\0\0\0", '{"schema":"trustkern.embedded-state/2"}'])(
    "a state file that holds %j is corrupt",
    async (content) => {
      const ended = await withChanged(inside("deployment.json"), content);
      expect(errorOf(ended)).toMatchObject({ code: "STATE_CORRUPT", path: inside("deployment.json") });
      expect(ended.code).toBe(2);
    },
  );

  it("a signing key that is none is corrupt", async () => {
    const ended = await withChanged(inside("secrets", "backend", "signing.key"), "-----BEGIN nothing");
    expect(errorOf(ended)).toMatchObject({ code: "STATE_CORRUPT" });
  });

  it.each([
    "secrets/backend/signing.key",
    "secrets/authorities/passphrase",
    "secrets/custody/passphrase",
    "authorities",
    "volumes/custody/keys/identity.age",
    "volumes/custody/state/generations.json",
    "volumes/custody/audit/audit.head",
    "volumes/database/data/cluster",
    "volumes/backend/state/backend.db",
    "volumes/gw-01/state/gateway.db",
  ])("%s that is gone is never made anew", async (what) => {
    const place = inside(what);
    renameSync(place, `${place}.away`);
    try {
      const ended = await upOnce("--dir", state);
      expect(errorOf(ended)).toMatchObject({ code: "STATE_CORRUPT" });
      expect(existsSync(place)).toBe(false);
    } finally {
      renameSync(`${place}.away`, place);
    }
  });

  it("a damaged database is corrupt, and is not emptied", async () => {
    const control = inside("volumes", "database", "data", "cluster", "global", "pg_control");
    const ended = await withChanged(control, Buffer.alloc(8192));
    expect(errorOf(ended).code).toBe("DATABASE_DIR_CORRUPT");
  });

  it("comes up again with every row once everything is as it was", async () => {
    const ended = await upOnce("--dir", state);
    expect(ended.code, ended.stdout).toBe(0);
    expect(JSON.parse(ended.stdout).rows).toBe(202);
  });
});

describe("a full disk", () => {
  it("is one clear error at each size that is too small, and leaves nothing that hinders the next run", async () => {
    const disk = join(dir, "disk");
    mkdirSync(disk);
    // In a mount namespace of its own: nobody else sees the small disk, and it is gone with the shell.
    const script = `
      mount -t tmpfs -o size=64k tmpfs "$1" || exit 97
      for size in 64k 2m 24m 36m 2g; do
        mount -o remount,size=$size "$1" || exit 98
        "$2" up --once --json --dir "$1/state" 2>/dev/null
        echo "$?"
      done`;
    const ended = await onOwnDisk(script, disk, trustkern);
    const lines = ended.stdout.trim().split("\n");
    expect(lines.length, ended.stdout + ended.stderr).toBe(10);
    const runs = [0, 2, 4, 6, 8].map((at) => ({ document: JSON.parse(lines[at] ?? ""), code: lines[at + 1] }));
    for (const { document, code } of runs.slice(0, 4)) {
      expect(document.error?.code, JSON.stringify(document)).toMatch(
        /^(STATE_UNWRITABLE|(DATABASE|MIGRATION)_DISK_FULL)$/,
      );
      expect(document.error.fix).toMatch(/space/);
      expect(code).toBe("4");
    }
    expect(runs[4]?.code, lines[8]).toBe("0");
  });

  it("stops nothing for good: what was acknowledged before and after is stored exactly once", async () => {
    const disk = join(dir, "filled");
    mkdirSync(disk);
    const script = 'mount -t tmpfs -o size=100m tmpfs "$1" && exec "$2" "$3" "$1"';
    const driver = join(PROJECT, "test/support/full-disk.ts");
    const ended = await onOwnDisk(script, disk, process.execPath, driver);
    const result = JSON.parse(ended.stdout.trim().split("\n").at(-1) ?? ended.stderr);
    expect(result).toMatchObject({ wrong: [], quarantined: [] });
    expect(result.acknowledged, "messages flow again once there is space").toBeGreaterThan(result.whileFull + 50);
  });
});

/** Runs a shell script in a mount namespace of its own, as its root: nobody else sees what it mounts. */
function onOwnDisk(script: string, ...args: readonly string[]): Promise<Ended> {
  const namespace = process.getuid?.() === 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  return runProgram("unshare", [...namespace, "sh", "-c", script, "sh", ...args], { cwd: dir, timeoutSeconds: 170 });
}
