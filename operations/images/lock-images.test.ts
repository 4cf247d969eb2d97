import { describe, expect, it } from "vitest";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import { imageNamesOf, type LockRequest, lockImages, referenceOf, repositoryOf } from "./lock-images.ts";

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
  images: { source: "packages" },
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

describe("lockImages from a bundle", () => {
  it("takes the ids of what was loaded, upstream's too, and says of what is not there where it comes from", async () => {
    const engine = engineWith({ "trustkern/backend:1": id("a"), "grafana/grafana:12.3.0": id("b") });
    const bundle = request(engine, { images: { source: "bundle" } });
    const { source, images } = await lockImages(bundle, ["backend", "grafana"], "1");
    expect([source, images.backend?.digest, images.grafana?.digest]).toEqual(["bundle", id("a"), id("b")]);
    await expect(lockImages(bundle, ["backend", "loki"], "1")).rejects.toMatchObject({
      code: "IMAGES_UNRESOLVED",
      fix: expect.stringMatching(/load them from the bundle/),
    });
  });
});

describe("referenceOf", () => {
  it.each([
    [{ source: "registry" }, "grafana", "grafana/grafana:12.3.0"],
    [{ source: "registry", mirror: "m.example:5000" }, "grafana", "m.example:5000/grafana/grafana:12.3.0"],
    [{ source: "registry", mirror: "m.example" }, "backend", "m.example/trustkern/backend:1"],
    [{ source: "registry" }, "database", "timescale/timescaledb:2.22.1-pg17"],
    [{ source: "registry", foreign: "built" }, "database", "trustkern/database:1"],
    [{ source: "registry", foreign: "built", mirror: "m.example/hub" }, "loki", "m.example/hub/trustkern/loki:1"],
    [{ source: "registry", foreign: "built" }, "grafana", "grafana/grafana:12.3.0"],
    [{ source: "packages" }, "broker", "trustkern/broker:1"],
    [{ source: "bundle" }, "loki", "trustkern/loki:1"],
    [{ source: "bundle", foreign: "upstream" }, "database", "timescale/timescaledb:2.22.1-pg17"],
  ] as const)("of %j and %s is %s", (images, name, reference) => {
    expect(referenceOf(images, name, "1")).toBe(reference);
  });
});

describe("repositoryOf", () => {
  it("is the same in every mirror", () => {
    expect(repositoryOf({ source: "registry", mirror: "m.example/hub" }, "backend")).toBe("trustkern/backend");
    expect(repositoryOf({ source: "registry" }, "loki")).toBe("grafana/loki");
  });
});

describe("imageNamesOf", () => {
  it("names each image once, nothing for a component without one, and what a deployment of Docker is verified with", () => {
    const components = [{ image: "gateway" }, { image: "backend" }, { image: "gateway" }, {}];
    expect(imageNamesOf({ engine: "docker", components, flows: [] } as never)).toEqual(["backend", "gateway", "probe"]);
    expect(imageNamesOf({ engine: "embedded", components, flows: [] } as never)).toEqual(["backend", "gateway"]);
  });
});
