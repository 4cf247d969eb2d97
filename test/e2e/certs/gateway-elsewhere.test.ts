import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OtherGateway } from "../../support/remote-gateway.ts";
import { type Rotating, rotating } from "../../support/rotating.ts";

let run: Rotating;
let elsewhere: OtherGateway;

beforeAll(async () => {
  run = await rotating("embedded", 20);
  elsewhere = new OtherGateway(run, "gw-77");
  await elsewhere.provide();
  await elsewhere.start();
}, 300_000);
afterAll(async () => {
  await elsewhere?.stop();
  await run?.stop();
});

const rotate = (...args: readonly string[]) => run.cli(["certs", "rotate", "--yes", "--limit", "15", ...args]);
/** Rotates until nothing goes on any more in a phase but for one gateway: on a busy machine it follows one wait later. */
async function stuck(phase: string, gateway: string, ...args: readonly string[]): Promise<void> {
  const wanted = `"${phase}" waited 15 s for ${gateway}\n`;
  let said = (await rotate(...args)).stderr;
  expect(said).toContain("ROTATION_UNPROVEN");
  for (let again = 0; again < 3 && !said.includes(wanted); again += 1) said = (await rotate()).stderr;
  expect(said).toContain(`ROTATION_UNPROVEN: ${wanted}`);
}
async function finished(): Promise<void> {
  let done = await rotate();
  for (let again = 0; again < 3 && done.code !== 0; again += 1) done = await rotate();
  expect([done.code, done.code === 0 ? "" : done.stderr]).toEqual([0, ""]);
}
const json = async (...args: readonly string[]) => JSON.parse((await run.cli(["--json", ...args])).stdout);
const connected = async (): Promise<boolean> => (await elsewhere.status()).brokerConnected;
const useOf = async (name: string) =>
  (await json("certs", "rotate", "--status")).components.find((each: { name: string }) => each.name === name);

describe("a gateway with a certificate that was issued by hand, on a machine that this one does not know", () => {
  it("is among those whom a rotation concerns, and a gateway of the simulator is not", async () => {
    const { concerned } = await json("certs", "rotate", "--what", "root", "--dry-run");
    expect(concerned).toContain("gw-77");
    expect(concerned).not.toContain("gw-rogue");
    expect(await useOf("gw-77")).toMatchObject({ anchors: "current", certificates: "current", pins: "current" });
  });

  it.each(["root", "intermediate:gateways"])(
    "lives through a rotation of %s, which waits for it",
    { timeout: 400_000 },
    async (what) => {
      const before = await elsewhere.status();
      // Nothing issues for gateways by itself here: the leaf has to come by hand, and until then nothing old is removed.
      await stuck("prove-use", "gw-77", "--what", what);
      expect(await useOf("gw-77")).toMatchObject({
        certificates: "old",
        anchors: what === "root" ? "both" : "current",
      });
      expect(await connected()).toBe(true);
      await elsewhere.provide();
      await finished();
      await elsewhere.until(
        ({ brokerConnected, tls }) =>
          brokerConnected && tls?.anchors.length === 1 && tls.certificate !== before.tls?.certificate,
      );
      expect((await elsewhere.status()).tls?.anchors).not.toEqual(what === "root" ? before.tls?.anchors : []);
      expect(await useOf("gw-77")).toMatchObject({ anchors: "current", certificates: "current", pins: "current" });
    },
  );

  it("gives the broker's next key its trust", { timeout: 200_000 }, async () => {
    const { tls } = await elsewhere.status();
    if ((await rotate("--what", "pin")).code !== 0) await finished();
    await elsewhere.until((status) => status.brokerConnected && status.tls?.pins.join() !== tls?.pins.join());
  });
});

describe("a gateway elsewhere that never comes back", () => {
  it("is named, and waited for until it is revoked", { timeout: 400_000 }, async () => {
    await new OtherGateway(run, "gw-78").provide();
    await stuck("prove-trust", "gw-78", "--what", "root");
    expect(await useOf("gw-78")).toMatchObject({ anchors: "unknown", certificates: "unknown" });
    expect(await run.cli(["gateway", "revoke", "gw-78", "--yes"])).toMatchObject({ code: 0 });
    // The other one is still waited for.
    await stuck("prove-use", "gw-77");
    await elsewhere.provide();
    await finished();
    await elsewhere.until(({ brokerConnected, tls }) => brokerConnected && tls?.anchors.length === 1);
  });
});
