import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { referencePlacement } from "../../modules/reference-placement.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import type { ImageLock } from "./lock-file.ts";
import { imageNamesOf, repositoryOf } from "./lock-images.ts";
import { assertImages, assertPins, pinsOf } from "./pins.ts";
import { testSigner } from "./signatures/test-signer.ts";

const dev = resolveDeployment({ name: "a", tenant: "b", profile: "dev", engine: "docker" });
const packages: Deployment = { ...dev, images: { source: "packages", grafana: "absent" } };
const hosted: Deployment = { ...dev, profile: "eu-hosted" };
const modelOf = (deployment: Deployment) => buildModel(deployment, referencePlacement(deployment));
const digest = `sha256:${"0".repeat(64)}`;

/** A lock of every image of a deployment. */
function lockOf(deployment: Deployment): ImageLock {
  const names = imageNamesOf(modelOf(deployment));
  const images = Object.fromEntries(names.map((name) => [name, { reference: `trustkern/${name}:1.0.0`, digest }]));
  return { source: deployment.images.source, images };
}

/** An engine that has the images of these ids and references. */
function engineWith(known: readonly string[]): DockerCli {
  return async (args) => {
    const wanted = args.find((word) => known.includes(word));
    if (wanted === undefined) return { stdout: "[]", stderr: "No such image", code: 1 };
    const image = { Id: digest, Size: 1, RepoDigests: [], RepoTags: [], Config: { Labels: {} } };
    return { stdout: JSON.stringify([image]), stderr: "", code: 0 };
  };
}

describe("pinsOf", () => {
  it("takes the lock's word, and a versioned reference where there is none", () => {
    expect(pinsOf(dev, modelOf(dev), lockOf(dev), "1.0.0").images.loki).toEqual(lockOf(dev).images.loki);
    const unlocked = pinsOf(dev, modelOf(dev), undefined, "1.0.0");
    for (const { reference, digest: none } of Object.values(unlocked.images)) {
      expect(reference).toMatch(/:v?\d+\.\d+\.\d+/);
      expect(none).toBeUndefined();
    }
  });

  it("says of a lock what files can say: images from elsewhere, without a signature, or a key that is none", () => {
    const dir = mkdtempSync(join(tmpdir(), "tk-pins-"));
    const signedBy = join(dir, "images.pub");
    const asking: Deployment = { ...hosted, images: { ...hosted.images, mirror: "mirror.example" } };
    const codes = (deployment: Deployment, lock = lockOf(deployment)) =>
      new Set(pinsOf(deployment, modelOf(deployment), lock, "1.0.0").findings?.map(({ code }) => code));
    expect(codes(hosted)).toEqual(new Set());
    expect(codes(asking)).toEqual(new Set(["IMAGE_ELSEWHERE"]));
    const signed: Deployment = { ...hosted, images: { ...hosted.images, signedBy } };
    expect(codes(signed)).toEqual(new Set(["IMAGES_SIGNER_INVALID"]));
    writeFileSync(signedBy, testSigner().pem);
    expect(codes(signed)).toEqual(new Set(["IMAGE_UNSIGNED"]));
    expect(pinsOf(signed, modelOf(signed), undefined, "1.0.0").findings).toEqual([]);
    expect(() => assertPins(pinsOf(signed, modelOf(signed), lockOf(signed), "1.0.0"))).toThrow(
      expect.objectContaining({ code: "IMAGES_MISMATCH" }),
    );
    expect(assertPins(pinsOf(hosted, modelOf(hosted), lockOf(hosted), "1.0.0"))).toBeUndefined();
    rmSync(dir, { recursive: true });
  });

  it("refuses the lock of the other source", () => {
    expect(() => pinsOf(dev, modelOf(dev), lockOf(packages), "1.0.0")).toThrow(
      expect.objectContaining({ code: "IMAGES_SOURCE_DIFFERS" }),
    );
  });
});

describe("assertImages", () => {
  const check = (deployment: Deployment, lock: ImageLock | undefined, docker = engineWith([])) =>
    assertImages(deployment, modelOf(deployment), lock, docker);

  it("lets dev alone run upstream images that are not locked", async () => {
    await expect(check(dev, undefined)).resolves.toBeUndefined();
    await expect(check(hosted, undefined)).rejects.toMatchObject({ code: "IMAGES_NOT_LOCKED" });
    await expect(check(packages, undefined)).rejects.toMatchObject({ code: "IMAGES_NOT_LOCKED" });
  });

  it("runs nothing that is not locked where images have to be signed or come from a bundle", async () => {
    const signed: Deployment = { ...dev, images: { ...dev.images, signedBy: "/nowhere/images.pub" } };
    await expect(check(signed, undefined)).rejects.toMatchObject({ code: "IMAGES_NOT_LOCKED" });
    const bundle: Deployment = { ...dev, images: { source: "bundle", grafana: "absent" } };
    await expect(check(bundle, undefined)).rejects.toMatchObject({
      code: "IMAGES_NOT_LOCKED",
      fix: expect.stringContaining("load them from the bundle"),
    });
  });

  it("refuses a lock that was made without the signatures that are asked for, and a key that cannot be read", async () => {
    const dir = mkdtempSync(join(tmpdir(), "tk-pins-"));
    const signedBy = join(dir, "images.pub");
    const signed: Deployment = { ...hosted, images: { ...hosted.images, signedBy } };
    await expect(check(signed, lockOf(signed))).rejects.toMatchObject({ code: "IMAGES_SIGNER_INVALID" });
    const signer = testSigner();
    writeFileSync(signedBy, signer.pem);
    await expect(check(signed, lockOf(signed))).rejects.toMatchObject({ code: "IMAGES_MISMATCH" });
    const images = Object.entries(lockOf(signed).images).map(([name, image]) => {
      return [name, { ...image, signature: signer.sign(repositoryOf(signed.images, name), image.digest) }] as const;
    });
    await expect(check(signed, { ...lockOf(signed), images: Object.fromEntries(images) })).resolves.toBeUndefined();
    rmSync(dir, { recursive: true });
  });

  it("refuses a lock that misses an image, every one at once", async () => {
    const { broker: _, loki: __, ...images } = lockOf(hosted).images;
    await expect(check(hosted, { source: "registry", images })).rejects.toMatchObject({
      code: "IMAGES_MISMATCH",
      cause: [{ path: "images.broker" }, { path: "images.loki" }],
    });
  });

  it("refuses images built here that are missing or other bytes, and accepts those that are the same", async () => {
    await expect(check(packages, lockOf(packages))).rejects.toMatchObject({ code: "IMAGES_MISMATCH" });
    await expect(check(packages, lockOf(packages), engineWith([digest]))).resolves.toBeUndefined();
  });
});
