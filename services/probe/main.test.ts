import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tk-probe-"));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

async function socketWith(listener: RequestListener): Promise<string> {
  const path = join(folder, `${servers.length}.sock`);
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

const status = (body: unknown): Promise<string> =>
  socketWith(({ url }, response) => response.end(url === "/status" ? JSON.stringify(body) : ""));

function probe(...args: readonly string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url)), ...args]);
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stderr }));
  });
}

describe.concurrent("probe", () => {
  it("ends with 0 and says nothing when the service is ready", async () => {
    expect(await probe(await status({ ready: true }))).toEqual({ code: 0, stderr: "" });
  });

  it("ends with 1 and the service's reason when it is not ready", async () => {
    const { code, stderr } = await probe(await status({ ready: false, reason: "sealed\nfor now" }));
    expect([code, stderr]).toEqual([1, "not ready: sealed for now\n"]);
  });

  it.each([
    ["something that is not true but looks like it", () => status({ ready: "true" })],
    ["a list", () => status([])],
    ["null", () => status(null)],
    ["no JSON", () => socketWith((_, response) => response.end("ready"))],
    ["a refusal", () => socketWith((_, response) => response.writeHead(500).end('{"ready":true}'))],
    ["a connection that is cut", () => socketWith((request) => request.socket.destroy())],
    ["a socket that nobody listens on", async () => join(folder, "nobody.sock")],
  ])("ends with 1 and one line for %s", async (_, socket) => {
    const { code, stderr } = await probe(await socket());
    expect(code).toBe(1);
    expect(stderr).toMatch(/^[^\n]+\n$/);
  });

  it("ends with 1 when it is told no socket", async () => {
    expect((await probe()).code).toBe(1);
  });
});
