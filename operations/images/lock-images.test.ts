import { describe, expect, it } from "vitest";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import { imageNamesOf, type LockRequest, lockImages, referenceOf } from "./lock-images.ts";
import { verifyImages } from "./verify-images.ts";

const id = (letter: string): string => `sha256:${letter.repeat(64)}`;

/** A Docker Engine that has images by reference, and by id. */
function engineWith(images: Readonly<Record<string, string>>): DockerCli {
  return async (args) => {
    const reference = args.at(-1) ?? "";
    const Id = images[reference] ?? Object.values(images).find((known) => known === reference);
    return Id === undefined
      ? { code: 1, stdout: "", stderr: `Error: No such image: ${reference}` }
      : { code: 0, stdout: JSON.stringify({ Id, RepoDigests: null, Size: 1, Config: null }), stderr: "" };
  };
}

const request = (docker: DockerCli, more: Partial<LockRequest> = {}): LockRequest => ({
  docker,
  source: "packages",
  env: {},
  signal: new AbortController().signal,
  ...more,
});

describe("lockImages from packages", () => {
  const engine = engineWith({ "trustkern/backend:1": id("a"), "trustkern/broker:1": id("b") });

  it("takes the ids that the Docker Engine gives", async () => {
    expect(await lockImages(request(engine), ["backend", "broker"], "1")).toEqual({
      source: "packages",
      images: {
        backend: { reference: "trustkern/backend:1", digest: id("a") },
        broker: { reference: "trustkern/broker:1", digest: id("b") },
      },
    });
  });

  it("leaves out what cannot be made here", async () => {
    expect((await lockImages(request(engine), ["backend", "grafana"], "1")).images.grafana).toBeUndefined();
  });

  it("says every image that is missing, and how to make it", async () => {
    const locking = lockImages(request(engine), ["backend", "loki", "schema"], "1");
    await expect(locking).rejects.toMatchObject({
      code: "IMAGES_UNRESOLVED",
      message: expect.stringMatching(/2 of 3.*loki.*schema/s),
      fix: expect.stringContaining("images build"),
    });
  });

  it("does not take another version's image", async () => {
    await expect(lockImages(request(engine), ["backend"], "2")).rejects.toMatchObject({ code: "IMAGES_UNRESOLVED" });
  });

  it("refuses a name that no image has", async () => {
    await expect(lockImages(request(engine), ["nginx"], "1")).rejects.toMatchObject({ code: "IMAGES_NAME_UNKNOWN" });
  });

  it("ends with the engine's own error when the engine fails", async () => {
    const failing: DockerCli = async () => ({ code: 1, stdout: "", stderr: "server misbehaving" });
    await expect(lockImages(request(failing), ["backend"], "1")).rejects.toMatchObject({ code: "DOCKER_FAILED" });
  });
});

describe("referenceOf", () => {
  it("is upstream's for a registry, and a mirror's where one is named", () => {
    expect(referenceOf({ source: "registry", registry: undefined }, "grafana", "1")).toBe("grafana/grafana:12.3.0");
    expect(referenceOf({ source: "registry", registry: "m.example:5000" }, "grafana", "1")).toBe(
      "m.example:5000/grafana/grafana:12.3.0",
    );
    expect(referenceOf({ source: "registry", registry: "m.example" }, "backend", "1")).toBe(
      "m.example/trustkern/backend:1",
    );
    expect(referenceOf({ source: "packages", registry: undefined }, "broker", "1")).toBe("trustkern/broker:1");
  });
});

describe("imageNamesOf", () => {
  it("names each image once, nothing for a component without one, and what a deployment of Docker is verified with", () => {
    const components = [{ image: "gateway" }, { image: "backend" }, { image: "gateway" }, {}];
    expect(imageNamesOf({ engine: "docker", components, flows: [] } as never)).toEqual(["backend", "gateway", "probe"]);
    expect(imageNamesOf({ engine: "embedded", components, flows: [] } as never)).toEqual(["backend", "gateway"]);
  });
});

describe("verifyImages", () => {
  const lock = {
    source: "packages",
    images: { backend: { reference: "trustkern/backend:1", digest: id("a") } },
  } as const;
  const codesOf = async (docker: DockerCli, names = ["backend"]): Promise<readonly string[]> =>
    (await verifyImages(lock, names, docker)).map(({ code }) => code);

  it("finds nothing wrong with the locked bytes, whatever their tag points to now", async () => {
    expect(await codesOf(engineWith({ "trustkern/backend:1": id("a") }))).toEqual([]);
    expect(await codesOf(engineWith({ "trustkern/backend:1": id("b"), "old:1": id("a") }))).toEqual([]);
  });

  it("tells other bytes under the locked name from an image that is not there", async () => {
    expect(await codesOf(engineWith({ "trustkern/backend:1": id("b") }))).toEqual(["IMAGE_DIGEST_MISMATCH"]);
    expect(await codesOf(engineWith({}))).toEqual(["IMAGE_MISSING"]);
  });

  it("finds every image that the lock does not name", async () => {
    const findings = await verifyImages(lock, ["backend", "grafana", "loki"], engineWith({ "x:1": id("a") }));
    expect(findings.map(({ code, path }) => [code, path])).toEqual([
      ["IMAGE_NOT_LOCKED", "images.grafana"],
      ["IMAGE_NOT_LOCKED", "images.loki"],
    ]);
    expect(findings.map(({ fix }) => fix)).toEqual([
      expect.stringContaining("grafana: absent"),
      "trustkern images lock",
    ]);
  });

  it("asks a registry's image of nobody but the registry", async () => {
    const asked: unknown[] = [];
    const docker: DockerCli = async (args) => {
      asked.push(args);
      return { code: 1, stdout: "", stderr: "" };
    };
    expect(await verifyImages({ ...lock, source: "registry" }, ["backend"], docker)).toEqual([]);
    expect(asked).toEqual([]);
  });
});
