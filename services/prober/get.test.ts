import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listenTcp } from "../runtime/listen.ts";
import { TEST_SERVER, testPki, textsOf } from "../runtime/test-pki.ts";
import { mutualTls, optionsOf } from "../runtime/tls.ts";
import { getAll } from "./get.ts";

let folder: string;
let server: Server;
let url: string;

beforeAll(async () => {
  const pki = await testPki();
  folder = mkdtempSync(join(tmpdir(), "tk-get-"));
  for (const [name, text] of Object.entries(textsOf(pki, "svc-collector"))) writeFileSync(join(folder, name), text);
  server = createServer({ ...mutualTls, ...optionsOf(textsOf(pki, "svc-backend")) }, (request, response) => {
    response.writeHead(request.url === "/away" ? 503 : 200).end(`body of ${request.url}`);
  });
  url = `https://127.0.0.1:${await listenTcp(server, { hosts: ["127.0.0.1"], port: 0 })}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
  rmSync(folder, { recursive: true });
});

const files = () => ({ caFile: join(folder, "ca"), certFile: join(folder, "cert"), keyFile: join(folder, "key") });
const get = (path: string, changes: object = {}) => ({ url, servername: TEST_SERVER, path, tls: files(), ...changes });

it("gives the body of each answer, and why there is none", async () => {
  const got = await getAll(
    [
      get("/one"),
      get("/away"),
      get("/two", { servername: "another.example" }),
      get("/three", { tls: { ...files(), keyFile: join(folder, "no-key") } }),
      get("/four"),
    ],
    2_000,
  );
  expect(got).toEqual([
    { body: "body of /one" },
    { why: "status 503" },
    { why: expect.stringMatching(/another\.example/) },
    { why: expect.stringMatching(/no-key/) },
    { body: "body of /four" },
  ]);
});
