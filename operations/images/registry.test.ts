import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { resolveDigest } from "./registry.ts";

const manifest = JSON.stringify({ schemaVersion: 2, manifests: [] });
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;

let server: Server | undefined;
afterEach(() => server?.closeAllConnections() ?? server?.close());

async function registry(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const resolveIn = (host: string, env: NodeJS.ProcessEnv = {}): Promise<string> =>
  resolveDigest({ env, signal: new AbortController().signal }, `${host}/team/image:1.2`);
const rejection = (code: string): object => expect.objectContaining({ code });

describe("resolveDigest", () => {
  it("hashes the manifest list that the tag points to", async () => {
    const asked: (string | undefined)[] = [];
    const host = await registry(({ url, headers }, response) => {
      asked.push(url, headers.accept);
      response.setHeader("docker-content-digest", digest).end(manifest);
    });
    expect(await resolveIn(host)).toBe(digest);
    expect(asked[0]).toBe("/v2/team/image/manifests/1.2");
    expect(asked[1]).toContain("application/vnd.oci.image.index.v1+json");
  });

  it("fetches an anonymous token where the registry wants one, for that repository and reading alone", async () => {
    let token: string | undefined;
    const host = await registry(({ url, headers }, response) => {
      if (url?.startsWith("/token")) {
        token = url;
        response.end('{"token":"t0ken"}');
      } else if (headers.authorization === "Bearer t0ken") response.end(manifest);
      else
        response
          .writeHead(401, { "www-authenticate": `Bearer realm="http://${host}/token",service="that registry"` })
          .end();
    });
    expect(await resolveIn(host)).toBe(digest);
    expect(token).toBe("/token?service=that+registry&scope=repository%3Ateam%2Fimage%3Apull");
  });

  it("does not send what is on this machine through a proxy", async () => {
    const host = await registry((_, response) => response.end(manifest));
    expect(await resolveIn(host, { HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: "http://127.0.0.1:9" })).toBe(digest);
  });

  it("refuses bytes that are not what the registry says they are", async () => {
    const host = await registry((_, response) =>
      response.setHeader("docker-content-digest", `sha256:${"0".repeat(64)}`).end(manifest),
    );
    await expect(resolveIn(host)).rejects.toThrow(rejection("IMAGES_REGISTRY_ANSWER"));
  });

  it.each([
    ["a tag that is not there", 404, {}, "IMAGES_UNRESOLVED"],
    ["a refusal", 403, {}, "IMAGES_REGISTRY_REFUSED"],
    ["a wanted login", 401, { "www-authenticate": 'Basic realm="x"' }, "IMAGES_REGISTRY_REFUSED"],
    ["a challenge without a realm", 401, { "www-authenticate": 'Bearer service="x"' }, "IMAGES_REGISTRY_REFUSED"],
    ["a 401 without a challenge", 401, {}, "IMAGES_REGISTRY_REFUSED"],
    ["a redirection", 307, { location: "https://elsewhere.example/" }, "IMAGES_REGISTRY_ANSWER"],
    ["a fault", 500, {}, "IMAGES_REGISTRY_ANSWER"],
    ["too many requests", 429, {}, "IMAGES_REGISTRY_ANSWER"],
  ] as const)("reports %s", async (_, status, headers, code) => {
    const host = await registry((_request, response) => response.writeHead(status, headers).end());
    await expect(resolveIn(host)).rejects.toThrow(rejection(code));
  });

  it.each([
    ["a page of HTML", "<html>"],
    ["a manifest of schema 1", '{"schemaVersion":1}'],
    ["nothing", ""],
  ])("takes %s for no manifest", async (_, body) => {
    const host = await registry((_request, response) => response.end(body));
    await expect(resolveIn(host)).rejects.toThrow(rejection("IMAGES_REGISTRY_ANSWER"));
  });

  it("does not read an answer without end", async () => {
    const host = await registry((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1_048_576, " ")));
      };
      response.on("drain", more);
      more();
    });
    await expect(resolveIn(host)).rejects.toThrow(rejection("IMAGES_REGISTRY_UNREACHABLE"));
  });

  it("refuses a token service that gives no token", async () => {
    const host = await registry(({ url }, response) => {
      if (url?.startsWith("/token")) response.end("{}");
      else response.writeHead(401, { "www-authenticate": `Bearer realm="http://${host}/token"` }).end();
    });
    await expect(resolveIn(host)).rejects.toThrow(rejection("IMAGES_REGISTRY_ANSWER"));
  });

  it("reports a registry that nobody answers for", async () => {
    await expect(resolveIn("127.0.0.1:9")).rejects.toThrow(rejection("IMAGES_REGISTRY_UNREACHABLE"));
  });

  it("sends what is elsewhere through the proxy of the environment", async () => {
    let asked: string | undefined;
    const proxy = await registry((_, response) => response.writeHead(501).end());
    server?.on("connect", ({ url }: IncomingMessage, socket) => {
      asked = url;
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    await expect(resolveIn("registry.example", { HTTPS_PROXY: `http://${proxy}` })).rejects.toThrow(
      rejection("IMAGES_REGISTRY_UNREACHABLE"),
    );
    expect(asked).toBe("registry.example:443");
  });
});
