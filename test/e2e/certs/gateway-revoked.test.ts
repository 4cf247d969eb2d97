import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OtherGateway } from "../../support/remote-gateway.ts";
import { type Rotating, rotating } from "../../support/rotating.ts";

let run: Rotating;
let gateway: OtherGateway;

beforeAll(async () => {
  run = await rotating("embedded", 5);
  gateway = new OtherGateway(run, "gw-77");
  await gateway.provide();
  await gateway.start();
}, 300_000);
afterAll(async () => {
  await gateway?.stop();
  await run?.stop();
});

const verify = async (...args: readonly string[]) => {
  const { code, stdout } = await run.cli(["--json", "certs", "audit", "verify", "--require-backend", ...args]);
  const { ledgers } = JSON.parse(stdout) as { ledgers: readonly { name: string; state: string; records: number }[] };
  return { code, states: ledgers.map(({ name, state }) => `${name} ${state}`), ledgers };
};

it("loses its session with its revocation, and gets neither another one nor another certificate", {
  timeout: 200_000,
}, async () => {
  const kept = join(run.dir, "kept-heads");
  const before = await verify("-o", kept);
  expect([before.code, before.states]).toEqual([0, ["host whole", "backend whole"]]);
  expect(await run.cli(["gateway", "revoke", "gw-77", "--yes", "--reason", "keyCompromise"])).toMatchObject({
    code: 0,
  });
  await gateway.until(({ brokerConnected }) => !brokerConnected);
  // It tries again and again meanwhile; without a list that names its certificate it is back within seconds.
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(500))
    expect(await gateway.status()).toMatchObject({ brokerConnected: false });
  const again = join(run.dir, "again.pem");
  const { code, stderr } = await run.cli(["certs", "issue", "gw-77", "-o", again]);
  expect([code, existsSync(again)]).toEqual([5, false]);
  expect(stderr).toContain("GATEWAY_REVOKED");
  const after = await verify("--head", kept);
  expect([after.code, after.states]).toEqual([0, ["host whole", "backend whole"]]);
  for (const [i, { records }] of after.ledgers.entries())
    expect(records).toBeGreaterThan(before.ledgers[i]?.records ?? 0);
});
