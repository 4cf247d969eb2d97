import { afterAll, beforeAll, expect, it } from "vitest";
import { type Rotating, rotate, rotating } from "../../support/rotating.ts";

const RATE = 200;
/** `node scripts/rotations.ts 100 5 docker` does a hundred of them. */
const ROTATIONS = ["intermediate:gateways", "leaf:broker", "root", "pin", "token:gw-01", "intermediate:operators"];
let run: Rotating;

beforeAll(async () => {
  run = await rotating("docker", RATE);
}, 400_000);
afterAll(() => run?.stop(), 200_000);

it("replaces authorities, leaves, the root, the pin and a token under Mosquitto and step-ca, and loses nothing", async () => {
  for (const what of ROTATIONS) await rotate(run, what);
  const result = await run.delivered();
  expect(result.acknowledged.length).toBeGreaterThan(RATE * ROTATIONS.length);
  expect(result).toMatchObject({ wrong: [], quarantined: [], refused: 0 });
}, 900_000);
