import { afterEach, beforeEach, expect, it } from "vitest";
import { type CustodyProcesses, custodyProcesses } from "./custody/processes.ts";

let processes: CustodyProcesses;
beforeEach(() => {
  processes = custodyProcesses();
});
afterEach(() => processes.end());

it("starts custody and its broker under the permission model", async () => {
  processes.custody();
  processes.broker();
  await processes.until("custody", true);
  await processes.until("broker", true);
  expect(await processes.status("custody")).toMatchObject({ sealed: false, generations: { active: 1 } });
});
