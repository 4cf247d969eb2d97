import { createHash } from "node:crypto";

const CONFIG = "application/vnd.oci.image.config.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/**
 * Puts an image without layers into a registry of this machine (OCI distribution specification, pushing), at
 * `host/repository:tag`.
 * @returns its digest, which follows from `content`
 */
export async function putImage(reference: string, content: string): Promise<string> {
  const [, host = "", repository = "", tag = ""] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
  const api = `http://${host}/v2/${repository}`;
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: { Labels: { content } } }));
  const begun = await accepted(fetch(`${api}/blobs/uploads/`, { method: "POST" }));
  const upload = new URL(begun.headers.get("location") ?? "", `http://${host}`);
  upload.searchParams.set("digest", digestOf(config));
  await accepted(fetch(upload, { method: "PUT", body: config }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, size: config.length, digest: digestOf(config) },
      layers: [],
    }),
  );
  const headers = { "content-type": MANIFEST };
  await accepted(fetch(`${api}/manifests/${tag}`, { method: "PUT", body: manifest, headers }));
  return digestOf(manifest);
}

async function accepted(asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  return response;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
