import { afterAll, beforeAll, expect, it } from "vitest";
import { type Rotating, rotating } from "../support/rotating.ts";

/** A sensor is not silent by then: each sends every half second. */
const SHORT = ["--overlap", "5s", "--wait", "2m"] as const;

interface Listed {
  readonly keyId: string;
  readonly state: string;
  readonly sensors: number;
}

let run: Rotating;
beforeAll(async () => {
  run = await rotating("embedded", 30);
}, 180_000);
afterAll(() => run.stop(), 60_000);

const generations = async (): Promise<readonly Listed[]> =>
  JSON.parse((await run.cli(["keys", "list", "--json"])).stdout).generations;
const keyIn = async (state: string): Promise<string> =>
  (await generations()).find((each) => each.state === state)?.keyId ?? "";
const json = async (...argv: readonly string[]): Promise<unknown> => {
  const { code, stdout } = await run.cli([...argv, "--yes", "--json"]);
  return { code, ...JSON.parse(stdout) };
};
const usersOf = (keyId: string) =>
  expect.poll(async () => (await generations()).find((each) => each.keyId === keyId)?.sensors, {
    timeout: 60_000,
    interval: 2_000,
  });

it("a compromise during a rotation ends it, and the next rotation goes over to the generation that was next", async () => {
  expect(await json("keys", "rotate", "--wait", "1s")).toMatchObject({ code: 9, done: false });
  const [old, next] = [await keyIn("active"), await keyIn("next")];
  await usersOf(next).toBe(16);
  const compromised = await json("keys", "compromise", old, "--reason", "a copy was found");
  expect(compromised).toMatchObject({ code: 0, endedRotationTo: next, repeated: false });
  expect(await json("keys", "compromise", old, "--reason", "a copy was found")).toMatchObject({
    code: 0,
    endedRotationTo: null,
    repeated: true,
  });
  const fresh = await keyIn("active");
  await usersOf(fresh).toBe(16);
  expect(await json("keys", "rotate", ...SHORT)).toMatchObject({ code: 0, done: true, keyId: next });
  expect([await keyIn("active"), await keyIn("next")]).toEqual([next, ""]);
  const { acknowledged, ...result } = await run.delivered();
  expect(acknowledged.length).toBeGreaterThan(100);
  // Nobody used the compromised one any more.
  expect(result).toMatchObject({ wrong: [], quarantined: [], refused: 0 });
}, 400_000);
