import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { custodyStatus } from "./status.ts";

let folder: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-cs-"));
});
afterEach(async () => {
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
  rmSync(folder, { recursive: true });
});

/** What `status` shows of a custody that answers this. */
async function shown(answer?: object) {
  const socket = join(folder, "s");
  if (answer !== undefined) {
    server = createServer((_, response) => response.end(JSON.stringify(answer)));
    await new Promise<void>((resolve) => server?.listen(socket, resolve));
  }
  return custodyStatus(defaultDeployment(), socket);
}

it.each([
  ["unsealed", { ready: true, sealed: false, store: { custodyClass: "hardware" } }, false, "hardware"],
  ["sealed, of which no class is known", { ready: false, sealed: true }, true, null],
  ["away", undefined, null, null],
  ["of another release", { ready: true }, null, null],
])("status shows a custody that is %s", async (_, answer, sealed, custodyClass) => {
  expect(await shown(answer)).toEqual({ sealed, custodyClass, kind: "file", acceptSoftware: null });
});
