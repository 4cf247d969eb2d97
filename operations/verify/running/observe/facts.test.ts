import { expect, it } from "vitest";
import type { Machine } from "../../../doctor/machine.ts";
import { rendered } from "../test-observation.ts";
import { volumeFacts } from "./facts.ts";

/** A host with one disk without encryption, and these folders missing. */
function host(missing: readonly string[] = []): Machine {
  const there = (path: string) => !missing.includes(path);
  return {
    deviceOf: (path: string) => (there(path) ? "8:1" : undefined),
    realPath: (path: string) => (there(path) ? path : undefined),
    readText: () => undefined,
    listFolder: () => undefined,
  } as unknown as Machine;
}
const looked = (machine: Machine) =>
  volumeFacts({ rendered, machine }).map(({ component, path }) => `${component}: ${path.slice("/srv/tk/".length)}`);

it("looks below every volume and folder with plaintext or keys", () => {
  expect(looked(host())).toEqual(
    expect.arrayContaining([
      "database: volumes/database/data",
      "custody: volumes/custody/keys",
      "gw-01: volumes/gw-01/state",
      "backend: volumes/backend/state",
      "gateways-ca: volumes/gateways-ca/db",
      "null: secrets",
      "null: authorities",
      "null: trust",
    ]),
  );
  expect(volumeFacts({ rendered, machine: host() }).filter(({ encryption }) => encryption !== "none seen")).toEqual([]);
});

it("leaves out what has neither, and a folder that is not there", () => {
  const all = looked(host(["/srv/tk/trust"]));
  expect(all).not.toContain("null: trust");
  expect(all.filter((one) => /^(prometheus|loki|broker|shipper):/.test(one))).toEqual([]);
});

it("does not leave out a volume that is not there", () => {
  const seen = volumeFacts({ rendered, machine: host(["/srv/tk/volumes/custody/keys"]) });
  expect(seen.find(({ path }) => path.endsWith("custody/keys"))?.encryption).toBe("unknown");
});
