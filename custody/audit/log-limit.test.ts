import { type FileHandle, open } from "node:fs/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HEAD_FILE } from "./head-file.ts";
import { openAuditLog } from "./log.ts";
import { opened, type TestLog, testLog } from "./test-log.ts";

let log: TestLog;
beforeEach(async () => {
  log = await testLog();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  log.remove();
});

/** From now on nothing is written until it is let go. */
async function hang(): Promise<() => void> {
  const handle = await open(`${log.folder}/${HEAD_FILE}`, "r");
  const prototype: Pick<FileHandle, "write"> = Object.getPrototypeOf(handle);
  await handle.close();
  const { write } = prototype;
  const held = Promise.withResolvers<void>();
  vi.spyOn(prototype, "write").mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
    await held.promise;
    return Reflect.apply(write, this, args);
  });
  return held.resolve;
}

test("refuses after 1.4 s and before 2 s what a disk that hangs does not take, unless it is told otherwise", async () => {
  const { folder, signer } = log;
  const open = await openAuditLog({ folder, signer, clock: () => new Date("2026-11-21T08:00:00Z") });
  const letGo = await hang();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let refusal: unknown;
  const refused = open.append(opened(1)).catch((thrown: unknown) => {
    refusal = thrown;
  });
  await vi.advanceTimersByTimeAsync(1_400);
  expect(refusal).toBeUndefined();
  await vi.advanceTimersByTimeAsync(599);
  expect(refusal).toMatchObject({ code: "CUSTODY_AUDIT_UNAVAILABLE" });
  await refused;
  letGo();
  await open.close();
  expect(await log.codes()).toEqual([]);
});
