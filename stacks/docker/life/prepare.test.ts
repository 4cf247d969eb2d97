import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { claimDirs } from "../../host/claim.ts";
import type { DockerOptions } from "./options.ts";
import { prepareHost } from "./prepare.ts";
import { renderDocker } from "./render.ts";

const deployment = resolveDeployment({
  name: "demo",
  tenant: "acme",
  profile: "dev",
  engine: "docker",
  images: { source: "packages", grafana: "absent" },
});
const names =
  "backend broker collector custody custody-broker database gateway loki prometheus schema shipper simulator step-ca";
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-prepare-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Prepares the folder as of that day. */
async function prepare(days = 0) {
  const runAs = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const images = {
    source: "packages",
    images: Object.fromEntries(names.split(" ").map((name) => [name, { reference: `trustkern/${name}:1.0.0` }])),
  } as const;
  const options: DockerOptions = {
    deployment,
    dir,
    temporaryDir: tmpdir(),
    images,
    runAs,
    mayChown: false,
    env: {},
    clock: () => new Date(Date.now() + days * 86_400_000),
    pid: process.pid,
    signal: new AbortController().signal,
    docker: async () => ({ stdout: "", stderr: "", code: 0 }),
    providerMirror: undefined,
    fallbackProgram: undefined,
    onProgress: () => undefined,
  };
  const rendered = renderDocker(options);
  claimDirs(rendered.layout);
  return { prepared: await prepareHost(options, rendered), layout: rendered.layout };
}

function entries(kind: "isFile" | "isDirectory"): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry[kind]())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("prepareHost", () => {
  it("makes files that their owner alone reads, in folders that their owner alone enters", async () => {
    await prepare();
    const modes = (paths: readonly string[]) => new Set(paths.map((path) => statSync(path).mode & 0o777));
    expect(entries("isFile").length).toBeGreaterThan(50);
    expect(modes(entries("isFile"))).toEqual(new Set([0o600]));
    expect(modes(entries("isDirectory"))).toEqual(new Set([0o700]));
  });

  it("changes nothing the second time, and renews certificates in their last third", async () => {
    const written = () => new Map(entries("isFile").map((path) => [path, statSync(path).mtimeMs]));
    await prepare();
    const first = written();
    await prepare();
    const changed = [...written()].filter(([path, time]) => first.get(path) !== time).map(([path]) => path);
    expect(changed.filter((path) => !path.endsWith("deployment.json"))).toEqual([]);
    await prepare(75);
    const { layout } = await prepare(75);
    const leaf = join(layout.secretsDir, "collector", "tls.crt");
    expect(statSync(leaf).mtimeMs).toBeGreaterThan(first.get(leaf) ?? 0);
  });

  it("refuses when what was stored is gone, and forgets nothing that was there", async () => {
    const { prepared, layout } = await prepare();
    const witness = join(layout.volumesDir, "custody", "state", "generations.json");
    mkdirSync(join(witness, ".."), { recursive: true });
    writeFileSync(witness, "");
    prepared.settle();
    (await prepare()).prepared.settle();
    rmSync(witness);
    await expect(prepare()).rejects.toMatchObject({ code: "STATE_CORRUPT" });
    await expect(prepare()).rejects.toMatchObject({ code: "STATE_CORRUPT" });
  });

  it("remembers no volume in which nothing was stored yet", async () => {
    const { prepared, layout } = await prepare();
    expect(existsSync(join(layout.volumesDir, "gateways-ca", "db", "step-ca.db"))).toBe(false);
    prepared.settle();
    await expect(prepare()).resolves.toBeDefined();
  });

  it("refuses when a secret that cannot be made anew is gone", async () => {
    const { layout } = await prepare();
    rmSync(join(layout.secretsDir, "custody", "passphrase"));
    await expect(prepare()).rejects.toMatchObject({ code: "STATE_CORRUPT" });
  });
});
