import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PUBLISH_STEPS, type PublishStep } from "../../services/broker-guard/crl-file.ts";
import { crlsIn } from "../../services/runtime/broker-trust/issuers.ts";
import { until } from "./broker/harness.ts";
import { MosquittoHarness } from "./mosquitto/harness.ts";

const broker = new MosquittoHarness();
const { feed } = broker;
broker.program = [join(import.meta.dirname, "mosquitto/dying-guard.ts")];

const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("A publish of revocation lists that is killed", () => {
  beforeAll(() => broker.start());
  afterAll(() => broker.stop());

  async function revoke(name: string): Promise<void> {
    await feed.revoke("gateways", await broker.newGateway(name));
  }

  /** Process id of Mosquitto. */
  const mosquitto = () =>
    spawnSync("pgrep", ["-P", String(broker.pid), "-x", "mosquitto"], { encoding: "utf8" }).stdout;

  const lists = () => crlsIn(readFileSync(broker.at("state/crl.pem"), "utf8")).toSorted();

  /** Has `who` die at that step of the next publish. */
  function order(who: "all" | "mosquitto", step: PublishStep): void {
    writeFileSync(broker.at("kill-at"), `${who} ${step} `);
    chmodSync(broker.at("kill-at"), 0o644);
  }

  async function finish(name: string): Promise<void> {
    if (broker.ended) await broker.run();
    await broker.inForce("gateways");
    expect(lists()).toEqual([...feed.crls.values()].toSorted());
    expect(await broker.attempt(name)).toMatch(/CERTIFICATE_REVOKED/);
    expect(await broker.attempt("gw-01")).toBe("accepted");
  }

  test.each(PUBLISH_STEPS.flatMap((step) => [["all", step] as const, ["mosquitto", step] as const]))(
    "(%s, at %s) leaves a whole file, and the next start finishes it",
    async (who, step) => {
      const name = `${who}-${step}`;
      const [before, child] = [lists(), mosquitto()];
      order(who, step);
      await revoke(name);
      // A guard that sees for itself that its broker is away starts another.
      await until(async () => broker.ended || ![child, ""].includes(mosquitto()), 60_000);
      if (who === "all") expect(broker.process?.signalCode).toBe("SIGKILL");
      else expect(broker.process?.exitCode).not.toBe(0);
      const after = [...feed.crls.values()].toSorted();
      expect([before, after]).toContainEqual(lists());
      await finish(name);
    },
  );

  test.each(PUBLISH_STEPS)(
    "(all, at %s of a start) leaves a whole file, and the next start finishes it",
    async (step) => {
      await broker.kill("SIGTERM");
      const before = lists();
      order("all", step);
      await revoke(`start-${step}`);
      await broker.run();
      const [, signal] = await once(broker.process ?? process, "exit");
      expect(signal).toBe("SIGKILL");
      expect([before, [...feed.crls.values()].toSorted()]).toContainEqual(lists());
      await finish(`start-${step}`);
    },
  );
});
