import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseImageLock, renderImageLock } from "../../operations/images/lock-file.ts";
import { lockImages } from "../../operations/images/lock-images.ts";
import { readSigningKey } from "../../operations/images/signatures/signing-key.ts";
import { verifyImages } from "../../operations/images/verify-images.ts";
import { Cosign } from "../support/cosign.ts";
import { putImage } from "./images/put-image.ts";
import { type Registry, startRegistry } from "./images/registry.ts";

const vendor = new Cosign();
const stranger = new Cosign();
const NAMES = ["backend", "collector", "gateway"];
const docker = () => Promise.reject(new Error("the Docker Engine was asked"));
let registry: Registry;
/** Each test has a path of its own in the registry. */
let hub = 0;
let mirror = "";

beforeAll(async () => {
  registry = await startRegistry();
  await Promise.all([vendor.start(), stranger.start()]);
}, 900_000);
afterAll(async () => {
  await registry?.stop();
  vendor.remove();
  stranger.remove();
});

/** Where an image is, by its digest. */
const at = (name: string, digest: string, path = mirror): string => `${path}/trustkern/${name}@${digest}`;
const put = (name: string, content: string, path = mirror): Promise<string> =>
  putImage(`${path}/trustkern/${name}:1`, content);
const images = () => ({ source: "registry", mirror }) as const;
const lock = (signedBy = vendor, path = mirror) =>
  lockImages(
    {
      docker,
      images: { source: "registry", mirror: path },
      signedBy: readSigningKey(signedBy.publicKey),
      env: process.env,
      signal: AbortSignal.timeout(60_000),
    },
    NAMES,
    "1",
  );

const OPEN = { mode: "open", allow: [] } as const;

async function freshHub(): Promise<Record<string, string>> {
  hub += 1;
  mirror = `${registry.host}/hub-${hub}`;
  return Object.fromEntries(await Promise.all(NAMES.map(async (name) => [name, await put(name, name)] as const)));
}

const signAll = (signer: Cosign, digests: Readonly<Record<string, string>>) =>
  signer.sign(...Object.entries(digests).map(([name, digest]) => at(name, digest)));

describe("images that cosign has signed", () => {
  it("are locked with their signatures, which a deploy holds against the digests without the registry", async () => {
    const digests = await freshHub();
    await signAll(vendor, digests);
    const locked = parseImageLock(renderImageLock(await lock()), "images.lock.yaml");
    const signedBy = readSigningKey(vendor.publicKey);
    expect(locked.signer).toBe(signedBy.fingerprint);
    for (const name of NAMES) expect(locked.images[name]?.digest).toBe(digests[name]);
    expect(await verifyImages(locked, NAMES, docker, { images: images(), egress: OPEN, signedBy })).toEqual([]);
    const other = readSigningKey(stranger.publicKey);
    const refused = await verifyImages(locked, NAMES, docker, { images: images(), egress: OPEN, signedBy: other });
    expect(refused.map(({ code }) => code)).toEqual(NAMES.map(() => "IMAGE_UNSIGNED"));
  });

  it("are locked where a second signer has signed them too", async () => {
    const digests = await freshHub();
    await signAll(stranger, digests);
    await signAll(vendor, digests);
    expect(Object.keys((await lock()).images).sort()).toEqual(NAMES);
    expect(Object.keys((await lock(stranger)).images).sort()).toEqual(NAMES);
  });

  it("are locked from a mirror that they were copied to with their signatures, and not without", async () => {
    const digests = await freshHub();
    await signAll(vendor, digests);
    const copied = `${registry.host}/customer/hub`;
    for (const name of NAMES) await put(name, name, copied);
    await expect(lock(vendor, copied)).rejects.toMatchObject({ code: "IMAGES_UNSIGNED" });
    for (const [name, digest] of Object.entries(digests))
      await vendor.run("copy", at(name, digest), `${copied}/trustkern/${name}:1`);
    expect((await lock(vendor, copied)).images.backend).toMatchObject({
      reference: `${copied}/trustkern/backend:1`,
      digest: digests.backend,
    });
  });
});

describe("images without a signature that holds", () => {
  it("are refused, all of them in one report: not signed, by another key, in a format that names no image", async () => {
    const { backend = "", collector = "" } = await freshHub();
    await stranger.sign(at("backend", backend));
    await vendor.run(
      "sign",
      "--key",
      "cosign.key",
      "--use-signing-config=false",
      "--tlog-upload=false",
      "--yes",
      at("collector", collector),
    );
    await expect(lock()).rejects.toMatchObject({
      code: "IMAGES_UNSIGNED",
      message: expect.stringMatching(
        /3 of 3.*backend.*not by the key.*collector.*no signature.*gateway.*no signature/s,
      ),
    });
  });

  it("are refused where one image of the signer stands in the place of another", async () => {
    const digests = await freshHub();
    await signAll(vendor, digests);
    await vendor.run("copy", "--force", at("gateway", digests.gateway ?? ""), `${mirror}/trustkern/backend:1`);
    await expect(lock()).rejects.toMatchObject({
      code: "IMAGES_UNSIGNED",
      message: expect.stringMatching(/1 of 3.*trustkern\/gateway", and not for trustkern\/backend/s),
    });
  });

  it("do no harm to what was locked before a tag was moved to them, and are not locked anew", async () => {
    const digests = await freshHub();
    await signAll(vendor, digests);
    const before = await lock();
    const moved = await put("backend", "other bytes");
    expect(moved).not.toBe(digests.backend);
    const signedBy = readSigningKey(vendor.publicKey);
    expect(await verifyImages(before, NAMES, docker, { images: images(), egress: OPEN, signedBy })).toEqual([]);
    await expect(lock()).rejects.toMatchObject({ code: "IMAGES_UNSIGNED", message: expect.stringContaining(moved) });
  });
});
