import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { ProbeAnswer, ProbeQuestion } from "../../shared/prober.ts";
import { reach } from "./reach.ts";

const open: { close: () => unknown }[] = [];
afterAll(() => open.forEach((each) => void each.close()));
const host = "127.0.0.1";

async function tcpPort(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  open.push(server);
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function udpPort(answers: boolean): Promise<number> {
  const socket = createSocket("udp4", (_, { port }) => answers && socket.send("pong", port, host));
  open.push(socket);
  socket.bind(0, host);
  await once(socket, "listening");
  return socket.address().port;
}

async function closedPort(): Promise<number> {
  const port = await tcpPort();
  const server = open.pop()!;
  server.close();
  return port;
}

describe("reach", () => {
  it.each([
    ["a TCP port where somebody listens", "tcp", tcpPort, "connected"],
    ["a TCP port where nobody does", "tcp", closedPort, "refused"],
    ["a UDP port that answers", "udp", () => udpPort(true), "connected"],
    ["a UDP port that does not", "udp", () => udpPort(false), "silent"],
    ["a UDP port where nobody listens", "udp", closedPort, "refused"],
  ] as const)("tells %s", async (_, protocol, port, expected) => {
    expect(await reach({ host, port: await port(), protocol }, 300)).toBe(expected);
  });
});

describe("the program", () => {
  function ask(stdin: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))]);
      const said = { stdout: "", stderr: "" };
      child.stdout.on("data", (chunk) => (said.stdout += chunk));
      child.stderr.on("data", (chunk) => (said.stderr += chunk));
      child.on("close", (code) => resolve({ code, ...said }));
      child.stdin.end(stdin);
    });
  }

  it("answers a whole question, and tells who came to where it listens", async () => {
    const port = await closedPort();
    const question: ProbeQuestion = {
      timeoutMs: 300,
      listen: [port],
      holdMs: 0,
      reach: [
        { host, port, protocol: "tcp", timeoutMs: 300 },
        { host, port, protocol: "udp", timeoutMs: 300 },
      ],
      handshakes: [],
      names: ["nobody.invalid"],
      send: [{ host, port, protocol: "udp", text: "mark" }],
    };
    const { code, stdout } = await ask(JSON.stringify(question));
    const answer = JSON.parse(stdout) as ProbeAnswer;
    expect(code).toBe(0);
    expect(answer).toMatchObject({ reach: ["connected", "connected"], names: [false], sent: [true] });
    expect(answer.heard.map(({ protocol }) => protocol).toSorted()).toEqual(["tcp", "udp", "udp"]);
  });

  it.each([["nothing"], ["{}"], [JSON.stringify({ reach: [{ host: "a.example", port: 1, protocol: "tcp" }] })]])(
    "ends with 1 and one line for %s",
    async (stdin) => {
      const { code, stderr } = await ask(stdin);
      expect([code, stderr.trim().split("\n").length]).toEqual([1, 1]);
    },
  );
});
