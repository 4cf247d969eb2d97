import { describe, expect, it } from "vitest";
import type { DockerCli } from "../../stacks/host/docker-cli.ts";
import type { ImageLock } from "./lock-file.ts";
import type { ImageDemands } from "./lock-findings.ts";
import { testSigner } from "./signatures/test-signer.ts";
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

const OPEN = { mode: "open", allow: [] } as const;
const packages: ImageDemands = { images: { source: "packages" }, egress: OPEN };

describe("images of this machine", () => {
  const lock = {
    source: "packages",
    images: { backend: { reference: "trustkern/backend:1", digest: id("a") } },
  } as const;
  const codesOf = async (docker: DockerCli, source: "packages" | "bundle" = "packages"): Promise<readonly string[]> =>
    (await verifyImages({ ...lock, source }, ["backend"], docker, packages)).map(({ code }) => code);

  it("are the locked bytes, whatever their tag points to now", async () => {
    expect(await codesOf(engineWith({ "trustkern/backend:1": id("a") }))).toEqual([]);
    expect(await codesOf(engineWith({ "trustkern/backend:1": id("b"), "old:1": id("a") }))).toEqual([]);
  });

  it.each(["packages", "bundle"] as const)(
    "that are others are told from those that are not there, %s",
    async (source) => {
      expect(await codesOf(engineWith({ "trustkern/backend:1": id("b") }), source)).toEqual(["IMAGE_DIGEST_MISMATCH"]);
      expect(await codesOf(engineWith({}), source)).toEqual(["IMAGE_MISSING"]);
    },
  );

  it("are loaded from the bundle where that is their source, and not built", async () => {
    const [missing] = await verifyImages({ ...lock, source: "bundle" }, ["backend"], engineWith({}), packages);
    expect(missing?.fix).toMatch(/load them from the bundle/);
  });

  it("are all in the lock, or named", async () => {
    const docker = engineWith({ "x:1": id("a") });
    const findings = await verifyImages(lock, ["backend", "grafana", "loki"], docker, packages);
    expect(findings.map(({ code, path }) => [code, path])).toEqual([
      ["IMAGE_NOT_LOCKED", "images.grafana"],
      ["IMAGE_NOT_LOCKED", "images.loki"],
    ]);
    expect(findings.map(({ fix }) => fix)).toEqual([
      expect.stringContaining("grafana: absent"),
      "trustkern images lock",
    ]);
  });
});

describe("images of a registry", () => {
  const vendor = testSigner();
  const signature = vendor.sign("registry.example/trustkern/backend", id("a"));
  const backend = { reference: "m.example/trustkern/backend:1", digest: id("a"), signature };
  const registry = { source: "registry" } as const;
  const codesOf = async (
    image: ImageLock["images"][string],
    asked: Omit<ImageDemands, "egress"> & Partial<ImageDemands>,
  ): Promise<readonly string[]> => {
    const docker: DockerCli = () => Promise.reject(new Error("asked"));
    const lock: ImageLock = { source: "registry", signer: vendor.key.fingerprint, images: { backend: image } };
    return (await verifyImages(lock, ["backend"], docker, { egress: OPEN, ...asked })).map(({ code }) => code);
  };

  it("are asked of nobody: their digest, and the signature in the lock, say enough", async () => {
    expect(await codesOf(backend, { images: registry })).toEqual([]);
    expect(await codesOf(backend, { images: registry, signedBy: vendor.key })).toEqual([]);
    expect(await codesOf(backend, { images: { ...registry, mirror: "m.example" }, signedBy: vendor.key })).toEqual([]);
  });

  it("are refused without a signature of the key that is named now, whoever the lock says has signed", async () => {
    const { signature: _, ...unsigned } = backend;
    expect(await codesOf(unsigned, { images: registry, signedBy: vendor.key })).toEqual(["IMAGE_UNSIGNED"]);
    expect(await codesOf(backend, { images: registry, signedBy: testSigner().key })).toEqual(["IMAGE_UNSIGNED"]);
  });

  it("are refused where somebody has changed a digest in the lock, or put another image's signature there", async () => {
    const demands = { images: registry, signedBy: vendor.key };
    expect(await codesOf({ ...backend, digest: id("b") }, demands)).toEqual(["IMAGE_UNSIGNED"]);
    const gateway = vendor.sign("trustkern/gateway", id("a"));
    expect(await codesOf({ ...backend, signature: gateway }, demands)).toEqual(["IMAGE_UNSIGNED"]);
  });

  it.each(["other.example", "m.example/hub", "m.exampl"])("are refused where the mirror is %s", async (mirror) => {
    expect(await codesOf(backend, { images: { ...registry, mirror } })).toEqual(["IMAGE_ELSEWHERE"]);
  });

  const allow = { host: "m.example", port: 443, protocol: "tcp", purpose: "images" } as const;
  it.each([
    ["no host at all", { mode: "isolated", allow: [] }],
    ["another host", { mode: "restricted", allow: [{ ...allow, host: "registry.example" }] }],
    ["another port", { mode: "restricted", allow: [{ ...allow, port: 5000 }] }],
    ["another purpose", { mode: "restricted", allow: [{ ...allow, purpose: "ntp" }] }],
  ] as const)("are refused without a mirror where egress names %s", async (_, egress) => {
    expect(await codesOf(backend, { images: registry, egress })).toEqual(["IMAGE_ELSEWHERE"]);
  });

  it("are those of a registry that egress names, for what Docker's own name stands for too", async () => {
    const egress = (host: string) => ({ mode: "restricted", allow: [{ ...allow, host }] }) as const;
    expect(await codesOf(backend, { images: registry, egress: egress("m.example") })).toEqual([]);
    const hub = { ...backend, reference: "trustkern/backend:1" };
    expect(await codesOf(hub, { images: registry, egress: egress("registry-1.docker.io") })).toEqual([]);
    expect(await codesOf(hub, { images: registry, egress: egress("m.example") })).toEqual(["IMAGE_ELSEWHERE"]);
  });
});
