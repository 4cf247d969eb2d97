import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, createReadStream, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledFile } from "../../operations/bundle/format/file.ts";
import { type Bundle, openBundle } from "../../operations/bundle/format/read.ts";
import { parseImageLock } from "../../operations/images/lock-file.ts";
import { PROJECT, scratch } from "../support/deployment.ts";
import { runProgram } from "../support/run.ts";

/** Made for real from what the cache has: images, toolkit, lists of parts. No Docker Engine is asked. */
const { dir, remove } = scratch("bundle-create");
const { signal } = new AbortController();
const planted = `canary-${randomBytes(12).toString("hex")}`;
const keyArgs = ["--key", "keys/signer.age", "--passphrase-file", "keys/passphrase"];

function cli(...args: readonly string[]) {
  const env = {
    PATH: `${join(PROJECT, "node_modules", ".bin")}:${process.env.PATH}`,
    DOCKER_HOST: "unix:///nowhere",
    CANARY: planted,
  };
  return runProgram(process.execPath, [join(PROJECT, "cli", "main.ts"), ...args], {
    cwd: dir,
    env,
    timeoutSeconds: 900,
  });
}

async function succeeded(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(dir, file)), hash);
  return hash.digest("hex");
}

/** Secrets, keys and rows, as a vendor's state directory and the folder beside it may have them. */
function plant(): void {
  for (const path of [
    "secrets/custody/passphrase",
    "terraform/terraform.tfstate",
    "volumes/database/rows",
    "root.key.age",
  ]) {
    const file = join(dir, ".trustkern", path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, `${planted}\n`);
  }
  writeFileSync(join(dir, "notes.md"), planted);
}

let bundle: Bundle;
let created: { images: string[]; version: number; signers: unknown[]; threshold: number };
beforeAll(async () => {
  cpSync(join(PROJECT, "examples", "air-gapped", "trustkern.yaml"), join(dir, "trustkern.yaml"));
  mkdirSync(join(dir, "keys"));
  writeFileSync(join(dir, "keys", "passphrase"), `${randomBytes(18).toString("base64")}\n`);
  plant();
  await succeeded("bundle", "trust", "key", "keys/signer.age", "--passphrase-file", "keys/passphrase");
  const signer = ["--signer", "ada=keys/signer.age.pub", "--root-key", "ada=keys/signer.age.pub"];
  await succeeded("bundle", "trust", "init", ...signer, ...keyArgs);
  created = JSON.parse(await succeeded("bundle", "create", "-o", "site.tkb", ...keyArgs, "--json"));
  bundle = await openBundle(join(dir, "site.tkb"));
}, 900_000);
afterAll(async () => {
  await bundle?.close();
  remove();
});

describe("the bundle of examples/air-gapped", () => {
  it("is made again, in parts, from another place, of the same bytes and with the same signature", async () => {
    mkdirSync(join(dir, "again"));
    const again = JSON.parse(
      await succeeded("bundle", "create", "-o", "again/b.tkb", "--split", "64MiB", ...keyArgs, "--json"),
    );
    expect(again).toMatchObject({ version: 1, reused: true });
    const hash = createHash("sha256");
    for (const file of again.files) await pipeline(createReadStream(file), hash, { end: false });
    expect(again.files.length).toBeGreaterThan(1);
    expect(hash.digest("hex")).toBe(await sha256("site.tkb"));
  });

  it("counts, by the root of trust and every byte", async () => {
    const shown = JSON.parse(await succeeded("bundle", "trust", "show", "--json"));
    const root = [".trustkern/bundle/root-1.json", "--fingerprint", shown.roots[0].fingerprint];
    await succeeded("bundle", "verify", "site.tkb", "--root", ...root);
  });

  it("has every image of the deployment, locked by the digest that an engine will give it", async () => {
    expect(created).toMatchObject({ version: 1, threshold: 1 });
    const text = (await bundledFile(bundle, "deployment/images.lock.yaml", signal)).toString();
    const lock = parseImageLock(text, "images.lock.yaml");
    expect(lock.source).toBe("bundle");
    const inBundle = bundle.manifest.images.map(({ name, reference, config }) => [name, { reference, digest: config }]);
    expect(lock.images).toEqual(Object.fromEntries(inBundle));
    expect(created.images).toEqual(expect.arrayContaining(["collector", "custody", "database", "probe"]));
  });

  it("has the stack with the hash of the provider, migrations, dashboards, guides, lists of parts and where all is from", () => {
    const paths = new Set(bundle.manifest.files.map(({ path }) => path));
    for (const path of [
      ...["stack/cdk.tf.json", "stack/.terraform.lock.hcl", "stack/config/broker/mosquitto.conf", "provenance.json"],
      ...["migrations/0001_roles.sql", "dashboards/trustkern-fleet-overview.json", "docs/guides/docker.md"],
      ...["sbom/toolkit.cdx.json", "sbom/database.cdx.json", "toolkit/bin/tofu", "deployment/trustkern.yaml"],
    ])
      expect(paths, path).toContain(path);
  });

  it("has the hash of the very provider that it carries", async () => {
    const lock = (await bundledFile(bundle, "stack/.terraform.lock.hcl", signal)).toString();
    expect(lock).toMatch(/provider "registry\.terraform\.io\/kreuzwerker\/docker" \{[^}]*"h1:[A-Za-z0-9+/=]{44}"/s);
  });

  it("has no package of the vendor's but the add-on for tokens, and only plain paths", () => {
    const packages = bundle.manifest.files.flatMap(({ path }) => /node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
    expect(new Set(packages)).toEqual(new Set(["pkcs11js"]));
    expect(bundle.manifest.files.filter(({ path }) => /\.(?:age|key|pem|pub)$|tfstate|secrets\//.test(path))).toEqual(
      [],
    );
  });

  it("has nothing of the vendor's state directory, environment or paths, in any blob", async () => {
    const forbidden = [planted, dir, PROJECT.replace(/\/$/, ""), join(homedir(), ".cache")];
    const wanted = new Set(bundle.manifest.blobs.map(({ digest }) => digest));
    const found: string[] = [];
    for await (const { digest, content } of bundle.blobs(wanted, { signal })) {
      const bytes = await buffer(content);
      if (/AGE-SECRET-KEY-1[A-Z0-9]{58}/.test(bytes.toString("latin1")))
        found.push(`a key in ${namesOf(digest).join(", ")}`);
      for (const text of forbidden) if (bytes.includes(text)) found.push(`${text} in ${namesOf(digest).join(", ")}`);
    }
    expect(found).toEqual([]);
  });
});

it("ends at once when it is cancelled, and leaves nothing", async () => {
  mkdirSync(join(dir, "cancelled"));
  const args = ["bundle", "create", "-o", "cancelled/site.tkb", ...keyArgs, "--json"];
  const child = spawn(process.execPath, [join(PROJECT, "cli", "main.ts"), ...args], { cwd: dir, stdio: "pipe" });
  child.stderr.once("data", () => child.kill("SIGINT"));
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect([code, JSON.parse(stdout).error.code]).toEqual([8, expect.stringMatching(/CANCELLED$/)]);
  expect(readdirSync(join(dir, "cancelled"))).toEqual([]);
});

function namesOf(digest: string): readonly string[] {
  const { files, images } = bundle.manifest;
  return [
    ...files.filter((file) => file.digest === digest).map(({ path }) => path),
    ...images.filter((image) => image.layers.includes(digest)).map(({ name }) => name),
  ];
}
