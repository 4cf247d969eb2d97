import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docker } from "../support/docker.ts";
import { next, until } from "./broker/harness.ts";
import { BrokerContainer } from "./mosquitto/container.ts";

const broker = new BrokerContainer();
const { feed } = broker;

describe("The image broker", () => {
  beforeAll(() => broker.start());
  afterAll(() => broker.stop());

  test("is ready, and its probe says so", async () => {
    expect(await broker.health()).toBe(0);
    expect((await broker.guard()).crl.issuers.length).toBe(4);
  });

  test("takes a gateway, and ends its session when it is revoked", async () => {
    const client = await broker.connected("gw-01");
    await client.publishAsync("tk/v1/gw-01/status", "here", { qos: 1 });
    const serial = broker.serial("gw-01");
    feed.ended.push({ seq: 1, name: "gw-01", reason: "certificate-revoked", serial });
    await feed.revoke("gateways", serial);
    await until(async () => !client.connected, 60_000);
    const [error] = await next(broker.client("gw-01"), "error");
    expect(error).toMatchObject({ code: expect.stringMatching(/CERTIFICATE_REVOKED/) });
  });

  test("runs a Mosquitto of Debian's backports", async () => {
    const { stdout, stderr } = await docker(["logs", broker.name]);
    expect(stdout + stderr).toMatch(/mosquitto version 2\.0\.(?:1[89]|[2-9]\d) running/);
  });

  test("ends at once when it is told to, with exit code 0", async () => {
    await docker(["stop", "--time", "10", broker.name]);
    const { stdout } = await docker(["inspect", "--format", "{{.State.ExitCode}}", broker.name]);
    expect(stdout.trim()).toBe("0");
  });
});
