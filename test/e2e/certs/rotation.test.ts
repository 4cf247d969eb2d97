import { afterAll, beforeAll, expect, it } from "vitest";
import type { Up } from "../../../stacks/embedded/up.ts";
import { scratch, upOptions, upProven } from "../../support/deployment.ts";
import { delivered, refusedByGateways, rotate, rotatingDeployment } from "../../support/rotating.ts";

const RATE = 200;
/** `node scripts/rotations.ts` does a hundred of them. */
const ROTATIONS = [
  "leaf:gw-01",
  "token:gw-01",
  "leaf:broker",
  "root",
  "leaf:collector",
  "pin",
  "intermediate:gateways",
  "token:gw-01",
  "intermediate:services",
  "leaf:backend",
];
const { dir, remove } = scratch("rotation");
let run: Up;
let refusedBefore: number;

beforeAll(async () => {
  run = await upProven(upOptions(dir, { deployment: rotatingDeployment(RATE) }));
  refusedBefore = await refusedByGateways(run);
});
afterAll(async () => {
  await run.stop();
  remove();
});

it("replaces leaves, authorities, the root, the pin and tokens under load, and no message is refused or lost", async () => {
  await run.deployed.control("simulator", "POST", "/run", { rate: RATE, total: null });
  for (const what of ROTATIONS) await rotate(dir, what);
  const result = await delivered(run, refusedBefore);
  expect(result.acknowledged.length).toBeGreaterThan(RATE * ROTATIONS.length);
  expect(result).toMatchObject({ wrong: [], quarantined: [], refused: 0 });
}, 900_000);
