import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestTransit } from "../../custody/backends/contract/test-transit.ts";
import { custodyConfig } from "./config.ts";
import { openKeys } from "./open-keys.ts";

const transit = new TestTransit();
const folder = mkdtempSync(join(tmpdir(), "tk-roles-"));
beforeAll(() => transit.start());
afterAll(() => {
  transit.stop();
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);
const configOf = (name: string, changes: object = {}) =>
  custodyConfig.parse({
    ...{
      name: "custody",
      tenant: "acme",
      controlSocket: at("control"),
      kemSocket: at("kem"),
      manageSocket: at("manage"),
    },
    keyStore: { kind: "vault", ...transit.key(), folder: at(`${name}.keys`) },
    ...{ unseal: "at-start", stateFolder: at(`${name}.state`), auditFolder: at(`${name}.audit`) },
    replicas: { writer: "custody-0" },
    ...changes,
  });
const open = (self: string, changes?: object) =>
  openKeys(configOf(self, changes), () => new Date(), new Uint8Array(), self);

describe("the one configuration of several custodies", () => {
  it("is the writer's by its host name, and every other host follows", async () => {
    const [writer, follower] = [await open("custody-0"), await open("custody-1")];
    expect([writer.follower, writer.keyring.list().length]).toEqual([undefined, 1]);
    expect(follower.answerFollower).toBeUndefined();
    if (!follower.follower || !writer.answerFollower) throw new Error("wrong roles");
    await follower.follower.follow(await writer.answerFollower(follower.follower.question()));
    expect(follower.keyring.list()).toEqual(writer.keyring.list());
    await expect(follower.attest("00", "op")).rejects.toMatchObject({ code: "CUSTODY_FOLLOWS" });
    await Promise.all([writer.close(), follower.close()]);
  });

  it.each(["custody-00", "custody-01", "CUSTODY-0", "custody-0.custody-broker", "localhost", ""])(
    "takes %j for one that follows: nothing is made where nobody is sure",
    async (self) => {
      const keys = await open(self);
      expect([keys.keyring.list(), keys.follower?.fresh()]).toEqual([[], false]);
      await keys.close();
    },
  );

  it("is refused where the keys are files of this custody alone", async () => {
    const keyStore = { kind: "file", folder: at("file.keys"), identityFile: at("identity") };
    const { generateIdentity } = await import("age-encryption");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(at("identity"), `${await generateIdentity()}\n`);
    for (const self of ["custody-0", "custody-9"])
      await expect(
        open(self, { keyStore, stateFolder: at(`f.${self}`), auditFolder: at(`fa.${self}`) }),
      ).rejects.toMatchObject({
        code: "CUSTODY_REPLICAS_STORE",
      });
  });

  it.each([
    ["no writer", { followSeconds: 60 }],
    ["an empty writer", { writer: "" }],
    ["no time to follow", { writer: "custody-0", followSeconds: 0 }],
    ["two days to follow", { writer: "custody-0", followSeconds: 172_800 }],
    ["an unknown member", { writer: "custody-0", ordinal: 0 }],
  ])("is refused with %s", (_, replicas) => {
    expect(() => configOf("x", { replicas })).toThrow();
  });
});
