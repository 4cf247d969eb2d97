import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { callControl } from "../../shared/control-client.ts";
import { testPki, textsOf, writeTexts } from "./test-pki.ts";

const folder = mkdtempSync(join(tmpdir(), "tk-r-"));
const socket = join(folder, "c.sock");

/** A service of its own process whose `start` has the given body. */
function launch(startBody: string, config: object = {}): ChildProcess {
  const main = join(folder, "main.ts");
  const runtime = import.meta.dirname;
  writeFileSync(
    main,
    `import { tlsConfig } from "${runtime}/config.ts";
     import { runService } from "${runtime}/run.ts";
     import { z } from "${runtime}/../../node_modules/zod/index.js";
     import { commonConfig } from "${runtime}/config.ts";
     import { listenTcp } from "${runtime}/listen.ts";
     import { createServer } from "node:net";
     await runService({ name: "probe", configSchema: z.strictObject({ ...commonConfig, tls: tlsConfig.optional() }), start: async ({ config, log, signal, tls }) => { ${startBody} } });`,
  );
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify({ name: "probe", tenant: "acme", controlSocket: socket, ...config }));
  return spawn(process.execPath, [main, "--config", file], { stdio: ["ignore", "pipe", "pipe"] });
}

const idle =
  "const timer = setInterval(() => {}, 1000); return { status: () => ({ counters: { seen: 3 } }), ready: () => true, stop: async () => clearInterval(timer) };";

async function statusOf(): Promise<unknown> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const status = await callControl(socket, "GET", "/status").catch(() => null);
    if (status) return status;
    await delay(50);
  }
  throw new Error("the service did not start");
}

async function exitOf(child: ChildProcess): Promise<{ code: number; error: unknown }> {
  const [[code], errorText] = await Promise.all([once(child, "exit"), text(child.stderr!)]);
  return { code: code as number, error: errorText.startsWith("{") ? JSON.parse(errorText).error : errorText };
}

it("reports itself on the control socket and exits with 0 on SIGTERM", async () => {
  const child = launch(idle);
  expect(await statusOf()).toMatchObject({ name: "probe", pid: child.pid, counters: { seen: 3 } });
  child.kill("SIGTERM");
  expect(await exitOf(child)).toMatchObject({ code: 0 });
});

it("says what of its TLS is in force, and to which pins of the broker it holds", async () => {
  const tls = writeTexts(folder, textsOf(await testPki(), "svc-collector"));
  const child = launch(`tls(config.tls); ${idle.replace("return {", 'return { brokerPins: () => ["aa"],')}`, { tls });
  await expect.poll(statusOf, { timeout: 10_000 }).toMatchObject({
    tls: { certificate: expect.stringMatching(/^[0-9a-f]{64}$/), anchors: [expect.any(String)], pins: ["aa"] },
  });
  child.kill("SIGTERM");
  expect(await exitOf(child)).toMatchObject({ code: 0 });
});

it("starts again on the socket that a killed process left", async () => {
  const first = launch(idle);
  await statusOf();
  first.kill("SIGKILL");
  await once(first, "exit");
  const second = launch(idle);
  expect(await statusOf()).toMatchObject({ pid: second.pid });
  second.kill("SIGINT");
  expect(await exitOf(second)).toMatchObject({ code: 0 });
});

it("is not ready while it starts, and stops in the middle of it", async () => {
  const child = launch(
    "await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));",
  );
  expect(await statusOf()).toMatchObject({ ready: false, reason: "starting" });
  child.kill("SIGTERM");
  expect(await exitOf(child)).toMatchObject({ code: 0 });
});

it("ends with 2 and one JSON error for a wrong configuration", async () => {
  const result = await exitOf(launch(idle, { tenant: 7, extra: 1 }));
  expect(result).toMatchObject({ code: 2, error: { code: "SERVICE_CONFIG_INVALID" } });
});

it("ends with 4 for a port in use", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = (server.address() as { port: number }).port;
  const result = await exitOf(launch(`await listenTcp(createServer(), { hosts: ["127.0.0.1"], port: ${port} });`));
  expect(result).toMatchObject({ code: 4, error: { code: "PORT_IN_USE" } });
  server.close();
});

it("ends with 4 where the certificate for its metrics is not there", async () => {
  const none = join(folder, "none");
  const metrics = {
    listen: { hosts: ["127.0.0.1"], port: 0 },
    tls: { caFile: none, certFile: none, keyFile: none },
    clients: ["svc-prometheus"],
  };
  const result = await exitOf(launch(idle, { metrics }));
  expect(result).toMatchObject({ code: 4, error: { code: "SERVICE_FILE_UNREADABLE" } });
});

it("ends with 255 for what nobody caught", async () => {
  const result = await exitOf(launch(`setTimeout(() => { throw new Error("bug"); }, 10); ${idle}`));
  expect(result.code).toBe(255);
});
