import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Deployment } from "../../../model/deployment.ts";
import { readDeploymentYaml } from "../../../profiles/parse.ts";
import type { ImageLock } from "../../images/lock-file.ts";
import { defaultSite, siteStack } from "./stack.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));
const yaml = readFileSync(`${project}examples/air-gapped/trustkern.yaml`, "utf8");
const { deployment } = readDeploymentYaml(yaml, "trustkern.yaml");
const digest = `sha256:${"0".repeat(64)}`;
const lock: ImageLock = { source: "bundle", images: { backend: { reference: "trustkern/backend:1", digest } } };
const textsOf = async (of: Deployment = deployment) =>
  Promise.all(
    siteStack(of, lock, "1").files.map(async ({ path, source }) => {
      return [path, Buffer.concat(await source.open().toArray()).toString("utf8")] as const;
    }),
  );

describe("siteStack", () => {
  it("names the paths of the site, and none of the machine that renders it", async () => {
    const all = (await textsOf()).map(([, text]) => text).join("\n");
    expect(all).toContain(`${defaultSite(deployment.name)}/state/secrets/backend`);
    for (const ours of [project, homedir(), process.cwd()]) expect(all).not.toContain(ours);
  });

  it("has each configuration file of each component once, and the locked image", async () => {
    const texts = await textsOf();
    const paths = texts.map(([path]) => path);
    expect(paths).toEqual(expect.arrayContaining(["stack/cdk.tf.json", "stack/config/broker/mosquitto.conf"]));
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.filter((path) => !/^stack\/[a-z][A-Za-z0-9./-]*$/.test(path))).toEqual([]);
    expect(new Map(texts).get("stack/cdk.tf.json")).toContain(digest);
  });

  it("is the same twice", async () => {
    expect(await textsOf()).toEqual(await textsOf());
  });

  it("has no key and no password", async () => {
    expect((await textsOf()).map(([, text]) => text).join("\n")).not.toMatch(/PRIVATE KEY|password=|AGE-SECRET/);
  });

  it("refuses a lock of another source", () => {
    expect(() => siteStack(deployment, { ...lock, source: "packages" }, "1")).toThrow(
      expect.objectContaining({ code: "IMAGES_SOURCE_DIFFERS" }),
    );
  });
});
