import { mkdtempSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { callControl } from "../../shared/control-client.ts";
import { type Control, type ControlRoute, startControl } from "./control.ts";
import { runtimeErrors } from "./errors.ts";

const socketPath = join(mkdtempSync(join(tmpdir(), "tk-c-")), "c.sock");
const log = { error: () => {} };
let control: Control | undefined;

async function start(routes: readonly ControlRoute[] = [], path = socketPath): Promise<void> {
  control = await startControl({ socketPath: path, status: () => ({ ready: true }), routes: () => routes, log });
}

afterEach(async () => {
  await control?.close();
  control = undefined;
});

it("answers its status on a socket that only its own user may open", async () => {
  await start();
  expect(await callControl(socketPath, "GET", "/status")).toEqual({ ready: true });
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
});

it("hands a route its body, its parameters and its query", async () => {
  await start([
    {
      method: "POST",
      path: "/sensors/:id/join",
      handler: (body, { params, query }) => ({ body, id: params.id, after: query.get("after") }),
    },
  ]);
  expect(await callControl(socketPath, "POST", "/sensors/61c0/join?after=7", { n: 1 })).toEqual({
    body: { n: 1 },
    id: "61c0",
    after: "7",
  });
});

it("passes a route's typed error on with its code and its fix", async () => {
  const refuse = (): never => {
    throw runtimeErrors.error("SERVICE_USAGE", "no", { fix: "do this" });
  };
  await start([{ method: "GET", path: "/refuse", handler: refuse }]);
  await expect(callControl(socketPath, "GET", "/refuse")).rejects.toMatchObject({
    code: "SERVICE_USAGE",
    fix: "do this",
  });
});

it("hides what an unexpected error says", async () => {
  const fail = (): never => {
    throw new Error("secret detail");
  };
  await start([{ method: "GET", path: "/fail", handler: fail }]);
  const thrown = await callControl(socketPath, "GET", "/fail").catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: "SERVICE_INTERNAL" });
  expect(String(thrown)).not.toContain("secret");
});

it.each([
  ["a path that it does not have", "GET", "/nothing", undefined, "HTTP_NO_ROUTE"],
  ["another method", "POST", "/status", {}, "HTTP_NO_ROUTE"],
  ["a body over 64 KiB", "POST", "/status", "x".repeat(65_536), "HTTP_BODY_TOO_LARGE"],
] as const)("refuses %s", async (_, method, path, body, code) => {
  await start();
  await expect(callControl(socketPath, method, path, body)).rejects.toMatchObject({ code });
});

it("says that nobody answers", async () => {
  await expect(callControl(socketPath, "GET", "/status")).rejects.toMatchObject({ code: "CONTROL_UNREACHABLE" });
});

it("does not take the socket of a living process", async () => {
  const living = createServer().listen(socketPath);
  await expect(start()).rejects.toMatchObject({ code: "CONTROL_SOCKET_IN_USE" });
  await new Promise((resolve) => living.close(resolve));
});

it("refuses a socket path that the kernel would cut off, or whose folder is missing", async () => {
  await expect(start([], `/tmp/${"x".repeat(110)}`)).rejects.toMatchObject({ code: "CONTROL_SOCKET_PATH" });
  await expect(start([], `${socketPath}.d/c.sock`)).rejects.toMatchObject({ code: "CONTROL_SOCKET_PATH" });
});
