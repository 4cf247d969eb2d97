import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Outcome, runCli } from "../test-io.ts";

const example = fileURLToPath(new URL("../../examples/single-host/trustkern.yaml", import.meta.url));
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-images-cli-"));
  copyFileSync(example, join(folder, "trustkern.yaml"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `images …` in the folder of the example, on a machine without docker. */
const images = (...args: readonly string[]): Promise<Outcome> =>
  runCli(["images", ...args, "--json"], { cwd: folder, env: { PATH: folder } });
const codeOf = ({ exit, stdout }: Outcome): readonly unknown[] => [exit, JSON.parse(stdout).error?.code];

describe("trustkern images", () => {
  it("says what would be made from what, without docker", async () => {
    const { exit, stdout } = await images("build", "--dry-run");
    const document = JSON.parse(stdout);
    expect([exit, document.schema]).toEqual([0, "trustkern.images-build/1"]);
    const names = document.images.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["backend", "broker", "schema", "step-ca"]));
    expect(names).not.toContain("grafana");
  });

  it("takes the images that --only names, once each", async () => {
    const { stdout } = await images("build", "--dry-run", "--only", "loki, backend,loki");
    expect(JSON.parse(stdout).images.map(({ name }: { name: string }) => name)).toEqual(["backend", "loki"]);
  });

  it.each([["nginx"], ["grafana"], [""], ["backend,"]])("refuses --only %j", async (only) => {
    expect(codeOf(await images("build", "--dry-run", "--only", only))).toEqual([2, "CLI_USAGE"]);
  });

  it.each([["build"], ["lock"], ["list"]])("%s reports a machine without docker", async (command) => {
    expect(codeOf(await images(command))).toEqual([4, "DOCKER_MISSING"]);
    expect(existsSync(join(folder, "images.lock.yaml"))).toBe(false);
  });

  it("lists what the nodes of a cluster pull without docker, and says nothing of this machine", async () => {
    copyFileSync(join(example, "../../customer-tenant/trustkern.yaml"), join(folder, "trustkern.yaml"));
    const { exit, stdout } = await images("list");
    expect(exit).toBe(0);
    const { source, images: listed } = JSON.parse(stdout);
    expect([source, listed.length > 8]).toEqual(["registry", true]);
    for (const each of listed) expect(each).toMatchObject({ present: null, digest: null });
    expect((await runCli(["images", "list"], { cwd: folder, env: { PATH: folder } })).stdout).not.toMatch(
      /present|absent/,
    );
  });

  it("refuses a registry where images are made here", async () => {
    expect(codeOf(await images("lock", "--registry", "mirror.example"))).toEqual([2, "CLI_USAGE"]);
  });

  describe.each([
    [
      "--registry beside another mirror",
      "{ mirror: m.example }",
      ["lock", "--registry", "n.example"],
      [2, "CLI_USAGE"],
    ],
    ["a key that is not there", "{ signedBy: /nowhere/images.pub }", ["lock"], [2, "IMAGES_SIGNER_INVALID"]],
    ["a key that is none", "{ signedBy: /etc/hostname }", ["list"], [2, "IMAGES_SIGNER_INVALID"]],
    ["a build of what a bundle has", "{ source: bundle }", ["build"], [2, "IMAGES_BUNDLED"]],
    ["a build, though dry, of what a bundle has", "{ source: bundle }", ["build", "--dry-run"], [2, "IMAGES_BUNDLED"]],
    ["a mirror of packages", "{ source: packages, mirror: m.example }", ["list"], [2, "CONFIG_INVALID"]],
  ] as const)("%s", (_, said, args, refusal) => {
    it("is refused, and no lock is written", async () => {
      const file = join(folder, "trustkern.yaml");
      writeFileSync(file, readFileSync(file, "utf8").replace(/^images:\n( .*\n)+/m, `images: ${said}\n`));
      expect(codeOf(await images(...args))).toEqual(refusal);
      expect(existsSync(join(folder, "images.lock.yaml"))).toBe(false);
    });
  });

  it("does not mix images of two signers in one lock", async () => {
    const signed = `schema: trustkern.images/1\nsource: packages\nsigner: sha256:${"0".repeat(64)}\nimages: {}\n`;
    writeFileSync(join(folder, "images.lock.yaml"), signed);
    expect(codeOf(await images("lock", "--only", "broker"))).toEqual([2, "CLI_USAGE"]);
  });

  it("locks nothing without a deployment file to stand beside", async () => {
    rmSync(join(folder, "trustkern.yaml"));
    expect(codeOf(await images("lock"))).toEqual([6, "CLI_NO_DEPLOYMENT"]);
  });

  it("reports a broken lock, and leaves it as it is", async () => {
    const lock = join(folder, "images.lock.yaml");
    writeFileSync(lock, "schema: other\n");
    expect(codeOf(await images("list"))).toEqual([2, "IMAGES_LOCK_INVALID"]);
    expect(codeOf(await images("lock", "--only", "broker"))).toEqual([2, "IMAGES_LOCK_INVALID"]);
    expect(readFileSync(lock, "utf8")).toBe("schema: other\n");
  });

  it("does not mix images of two sources in one lock", async () => {
    const lock = join(folder, "images.lock.yaml");
    writeFileSync(lock, "schema: trustkern.images/1\nsource: registry\nimages: {}\n");
    expect(codeOf(await images("lock", "--only", "broker"))).toEqual([2, "CLI_USAGE"]);
  });
});
