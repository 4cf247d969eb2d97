import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { findSignature } from "./find-signature.ts";
import type { ImageSignature } from "./judge.ts";
import { digestOf, testSigner } from "./test-signer.ts";

const PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json";
const digest = digestOf("the image");
const vendor = testSigner();
const good = vendor.sign("trustkern/backend", digest);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A registry that has, at some paths below the repository, these bytes. */
const having = (files: Readonly<Record<string, Buffer | string>>): RequestListener => {
  return ({ url = "" }, response) => {
    const bytes = files[url.replace("/v2/hub/trustkern/backend/", "")];
    if (bytes === undefined) response.writeHead(404).end();
    else response.end(bytes);
  };
};

const tag = `manifests/${digest.replace(":", "-")}.sig`;
const layerOf = ({ payload, signature }: ImageSignature, changes: object = {}) => {
  const bytes = Buffer.from(payload, "base64");
  const annotations = { "dev.cosignproject.cosign/signature": signature };
  return { mediaType: PAYLOAD, digest: digestOf(bytes), size: bytes.length, annotations, ...changes };
};
const manifestOf = (...layers: readonly unknown[]) => JSON.stringify({ schemaVersion: 2, layers });
const blobsOf = (...signatures: readonly ImageSignature[]) =>
  Object.fromEntries(
    signatures.map(({ payload }) => {
      const bytes = Buffer.from(payload, "base64");
      return [`blobs/${digestOf(bytes)}`, bytes];
    }),
  );

const findAt = (host: string) =>
  findSignature(
    { env: {}, signal: new AbortController().signal },
    { reference: `${host}/hub/trustkern/backend:1`, digest, repository: "trustkern/backend" },
    vendor.key,
  );
const find = async (files: Readonly<Record<string, Buffer | string>>) => findAt(await serve(having(files)));

describe("findSignature", () => {
  it("finds the one that holds among those of other signers, and of other things", async () => {
    const other = testSigner().sign("trustkern/backend", digest);
    const attestation = { mediaType: "application/vnd.dsse.envelope.v1+json", digest, size: 1 };
    const manifest = manifestOf(attestation, layerOf(other), layerOf(good));
    expect(await find({ [tag]: manifest, ...blobsOf(other, good) })).toEqual(good);
  });

  it("follows a registry that keeps its blobs elsewhere", async () => {
    const blobs = blobsOf(good);
    const store = await serve(({ url = "", headers }, response) => {
      if (headers.authorization === undefined) response.end(blobs[url.slice(1)]);
      else response.writeHead(400).end();
    });
    const host = await serve(({ url = "" }, response) => {
      const path = url.replace("/v2/hub/trustkern/backend/", "");
      if (path === tag) response.end(manifestOf(layerOf(good)));
      else response.writeHead(307, { location: `http://${store}/${path}` }).end();
    });
    expect(await findAt(host)).toEqual(good);
  });

  it.each([
    ["no signature", {}],
    ["a manifest without layers", { [tag]: '{"schemaVersion":2}' }],
    ["an empty list", { [tag]: manifestOf() }],
    ["layers of another kind", { [tag]: manifestOf(layerOf(good, { mediaType: "application/json" })) }],
    ["a layer without the signature", { [tag]: manifestOf(layerOf(good, { annotations: {} })), ...blobsOf(good) }],
    ["more than anybody signs", { [tag]: manifestOf(...Array(17).fill(layerOf(good))), ...blobsOf(good) }],
    ["a payload without end", { [tag]: manifestOf(layerOf(good, { size: 70_000 })), ...blobsOf(good) }],
  ])("refuses %s", async (_, files) => {
    await expect(find(files)).rejects.toMatchObject({ code: "IMAGES_UNSIGNED" });
  });

  it.each([
    ["by another key", testSigner().sign("trustkern/backend", digest)],
    ["for another digest", vendor.sign("trustkern/backend", digestOf("old"))],
    ["for another image", vendor.sign("trustkern/gateway", digest)],
  ])("refuses a signature %s", async (_, signature) => {
    await expect(find({ [tag]: manifestOf(layerOf(signature)), ...blobsOf(signature) })).rejects.toMatchObject({
      code: "IMAGES_UNSIGNED",
    });
  });

  it("takes no other bytes than those that the manifest names", async () => {
    const other = vendor.sign("trustkern/backend", digest, { more: true });
    const swapped = { [`blobs/${layerOf(good).digest}`]: Buffer.from(other.payload, "base64") };
    for (const blobs of [swapped, {}])
      await expect(find({ [tag]: manifestOf(layerOf(good)), ...blobs })).rejects.toMatchObject({
        code: "IMAGES_REGISTRY_ANSWER",
      });
  });

  it.each([["http://127.0.0.1:9/x".replace("http", "ftp")], ["::"], ["/v2/again"]])(
    "does not follow a blob to %s",
    async (location) => {
      const host = await serve(({ url = "" }, response) => {
        if (url.endsWith(tag)) response.end(manifestOf(layerOf(good)));
        else response.writeHead(302, { location }).end();
      });
      await expect(findAt(host)).rejects.toMatchObject({ code: "IMAGES_REGISTRY_ANSWER" });
    },
  );
});
