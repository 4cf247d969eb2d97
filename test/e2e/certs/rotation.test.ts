import { afterAll, beforeAll, expect, it } from "vitest";
import { type Rotating, rotate, rotating } from "../../support/rotating.ts";

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
let run: Rotating;

beforeAll(async () => {
  run = await rotating("embedded", RATE);
});
afterAll(() => run.stop());

it("replaces leaves, authorities, the root, the pin and tokens under load, and no message is refused or lost", async () => {
  for (const what of ROTATIONS) await rotate(run, what);
  const result = await run.delivered();
  expect(result.acknowledged.length).toBeGreaterThan(RATE * ROTATIONS.length);
  expect(result).toMatchObject({ wrong: [], quarantined: [], refused: 0 });
}, 900_000);
