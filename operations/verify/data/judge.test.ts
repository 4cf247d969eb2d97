import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { PROFILE_NAMES } from "../../../model/deployment.ts";
import { reportedBy } from "../../../profiles/index.ts";
import { checksOf, LAYERS } from "../checks.ts";
import { verdictOf } from "../result.ts";
import { DEEP, SHALLOW } from "../search/archives.ts";
import { needlesOf } from "../search/needles.ts";
import type { Place } from "../search/place.ts";
import { type Hit, searchFor } from "../search/search.ts";
import { type DataObservation, type Delivery, judgeData, type PlaceCheck } from "./judge.ts";
import { type Look, look } from "./look.ts";
import { makeMarker } from "./message/marker.ts";
import { makePlanted, plantedPlaces } from "./planted.ts";
import type { Unwell } from "./unwell.ts";

const CHECKS = checksOf("data").filter((id) => id !== "data.stored") as readonly PlaceCheck[];
const CLEAN: Look = { searched: 3, old: 1, hits: [], unread: [], blind: [] };
const DELIVERED: Delivery = { gateway: "gw-01", answer: "2.04", receipt: true, stored: { rows: 1, whole: 1 } };
const SOUND: DataObservation = {
  unsent: null,
  deliveries: [DELIVERED],
  elsewhere: [],
  unwell: [],
  looks: Object.fromEntries(CHECKS.map((id) => [id, CLEAN])) as DataObservation["looks"],
  missed: {},
  inside: ["volume data of database"],
  aftermath: "the sensor is revoked again",
};
const CUSTODY_STOPPED: Unwell = { component: "custody", zone: "decryption", why: "is stopped" };
const marker = makeMarker("gw-01", randomBytes);
const planted = makePlanted();
const search = searchFor(needlesOf([marker.canary, planted.canary]), DEEP);
const token = String(marker.payload.verification);

function outcomes(changes: Partial<DataObservation>): Readonly<Record<string, string>> {
  return Object.fromEntries(judgeData({ ...SOUND, ...changes }).map(({ id, outcome }) => [id, outcome]));
}

function delivered(changes: Partial<Delivery>): Partial<DataObservation> {
  return { deliveries: [{ ...DELIVERED, ...changes }] };
}

/** What a look at one place finds, as the layer does it. */
function lookAt(content: Place["content"], name = "here"): Promise<Look> {
  const places = async function* (): AsyncIterable<Place> {
    yield { name, content };
  };
  return look([{ name, places }], search, planted);
}

it("gives one result for each check of the layer, in their order, all proven where nothing is wrong", () => {
  const results = judgeData(SOUND);
  expect(results.map(({ id }) => id)).toEqual(checksOf("data"));
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(["proven"]));
  expect(results[0]?.seen).toContain("volume data of database");
});

describe("the plaintext outside of the boundary is broken, with its place and not its value", () => {
  const base64 = Buffer.from(marker.plaintext).toString("base64");
  it.each([
    ["data.logs", "docker logs of gw-01, stdout", `{"msg":"got ${token}"}\n`],
    ["data.logs", "Loki", JSON.stringify({ line: marker.plaintext })],
    ["data.metrics", "Prometheus: query", `{"value":[1,"${marker.payload.pressure_hpa}"]}`],
    ["data.metrics", "Prometheus: series", JSON.stringify([{ __name__: "x", v: token }])],
    ["data.traffic", "traffic of broker", Buffer.concat([randomBytes(60), Buffer.from(marker.plaintext)])],
    ["data.traffic", "traffic of loki", Buffer.concat([randomBytes(60), gzipSync(marker.plaintext), randomBytes(40)])],
    ["data.gateway", "volumes/gw-01/state/gateway.db", Buffer.from(token, "hex")],
    ["data.broker", "volumes/broker/state/mosquitto.db", base64],
    ["data.operations", "volumes/backend/state/x", Buffer.from(marker.plaintext).toString("hex")],
    ["data.operations", "volumes/shipper/queue/x", gzipSync(marker.plaintext)],
    ["data.engine", "terraform/terraform.tfstate", JSON.stringify({ note: base64 })],
  ] as const)("%s: %s", async (id, place, content) => {
    const seen = await lookAt(content, place);
    const results = judgeData({ ...SOUND, looks: { ...SOUND.looks, [id]: seen } });
    const broken = results.filter(({ outcome }) => outcome !== "proven");
    expect(broken).toMatchObject([
      { id, outcome: "broken", findings: [{ code: "DATA_PLAINTEXT_OUTSIDE", path: place }] },
    ]);
    expect(broken[0]?.findings[0]?.fix).toMatch(/\S/);
    const said = await lookAt(JSON.stringify(results));
    expect(said.hits).toEqual([]);
  });

  it("counts although the message came no further", () => {
    const hits = [{ place: "x", canary: "the message through gw-01", form: "text", belongs: false }];
    const looks = { ...SOUND.looks, "data.broker": { ...CLEAN, hits, unread: ["y: EACCES"] } };
    expect(outcomes({ looks, ...delivered({ receipt: false, stored: "away" }) })["data.broker"]).toBe("broken");
  });
});

describe("what could not be looked at is not proven", () => {
  it.each([
    ["nothing there", { searched: 0, old: 0 }],
    ["a file that cannot be read", { unread: ["volumes/loki/data: EACCES"] }],
    ["a search that misses its own", { blind: ["gzip"] }],
  ])("%s", (_, weakened) => {
    for (const id of CHECKS) {
      const looks = { ...SOUND.looks, [id]: { ...CLEAN, ...weakened } };
      const seen = outcomes({ looks });
      expect(seen[id]).toBe("not-proven");
      expect(Object.values(seen).filter((outcome) => outcome === "proven")).toHaveLength(CHECKS.length);
    }
  });

  it.each(CHECKS)("%s without what had to be met there", (id) => {
    expect(outcomes({ missed: { [id]: ["the sensor is not there"] } })[id]).toBe("not-proven");
  });

  it.each([
    ["no message was sent", { unsent: "the backend does not run", deliveries: [] }],
    [
      "a gateway refused it",
      delivered({ answer: "4.00 unknown-sensor", receipt: false, stored: { rows: 0, whole: 0 } }),
    ],
    ["a gateway did not answer", delivered({ answer: "no answer", receipt: false, stored: { rows: 0, whole: 0 } })],
    [
      "one gateway of two did",
      { deliveries: [DELIVERED, { ...DELIVERED, gateway: "gw-02", answer: "no answer", receipt: false }] },
    ],
  ])("anything, where %s", (_, changes) => {
    expect(new Set(Object.values(outcomes(changes)))).toEqual(new Set(["not-proven"]));
  });

  it("anything but the gateway, where no receipt came", () => {
    const seen = outcomes({
      ...delivered({ receipt: false, stored: { rows: 0, whole: 0 } }),
      unwell: [CUSTODY_STOPPED],
    });
    expect(seen["data.gateway"]).toBe("proven");
    expect(Object.entries(seen).filter(([, outcome]) => outcome !== "not-proven")).toHaveLength(1);
  });

  it("the files of gateways that run elsewhere, which holds the proof up unless the profile lets it be reported", () => {
    const unsaid = judgeData({ ...SOUND, elsewhere: ["gw-07"] });
    expect(unsaid.find(({ id }) => id === "data.gateway")).toMatchObject({ outcome: "not-proven" });
    expect(verdictOf({ results: unsaid, layers: LAYERS })).toBe("not-proven");
    expect(PROFILE_NAMES.filter((name) => !reportedBy(name).includes("data.gateway"))).toEqual([]);
    const results = judgeData({ ...SOUND, elsewhere: ["gw-07", "gw-08"] }, ["data.gateway"]);
    expect(verdictOf({ results, layers: LAYERS })).toBe("proven");
    const open = results.filter(({ outcome }) => outcome !== "proven");
    expect(open).toMatchObject([{ id: "data.gateway", outcome: "not-proven", reportOnly: true }]);
    expect(open[0]?.seen).toContain("gw-07, gw-08 run elsewhere");
    const unread = { ...CLEAN, unread: ["volumes/gw-01/state: EACCES"] };
    const seen = { ...SOUND, elsewhere: ["gw-07"], looks: { ...SOUND.looks, "data.gateway": unread } };
    const worse = judgeData(seen, ["data.gateway"]);
    expect(worse.find(({ id }) => id === "data.gateway")?.reportOnly).toBeUndefined();
  });

  it.each<readonly [Unwell["component"], Unwell["zone"], readonly PlaceCheck[]]>([
    ["broker", "ingress", ["data.broker"]],
    ["gw-01", "edge", ["data.gateway"]],
    ["simulator", "device", ["data.gateway"]],
    ["loki", "operations", ["data.operations"]],
    ["database", "decryption", []],
  ])("places that %s has a part in, which was not well all the time", (component, zone, own) => {
    const results = judgeData({ ...SOUND, unwell: [{ component, zone, why: "was started anew during the search" }] });
    const open = results.filter(({ outcome }) => outcome === "not-proven");
    const everywhere = ["data.logs", "data.metrics", "data.traffic", "data.engine"] as const;
    expect(open.map(({ id }) => id).toSorted()).toEqual([...own, ...everywhere].toSorted());
    for (const { seen } of open) expect(seen).toContain(`${component} was started anew`);
    expect(results.filter(({ outcome }) => outcome === "broken")).toEqual([]);
  });

  it("the row, where the database does not answer", () => {
    expect(outcomes(delivered({ stored: "connection refused" }))["data.stored"]).toBe("not-proven");
  });
});

describe("a message that the gateway took", () => {
  it.each([
    ["is lost, with everything well", { rows: 0, whole: 0 }, "DATA_NOT_STORED"],
    ["is stored twice", { rows: 2, whole: 2 }, "DATA_STORED_TWICE"],
    ["is stored as something else", { rows: 1, whole: 0 }, "DATA_STORED_DIFFERENT"],
  ])("%s", (_, stored, code) => {
    const [result] = judgeData({ ...SOUND, ...delivered({ stored }) });
    expect(result).toMatchObject({ outcome: "broken", findings: [{ code, path: "gateways.gw-01" }] });
  });

  it("is not lost for certain while something on its way is down, which is named", () => {
    const [result] = judgeData({
      ...SOUND,
      ...delivered({ stored: { rows: 0, whole: 0 } }),
      unwell: [CUSTODY_STOPPED],
    });
    expect(result).toMatchObject({ outcome: "not-proven", findings: [] });
    expect(result?.seen).toContain("custody is stopped");
  });
});

describe("a look", () => {
  it("says why a source was not read, and goes on with the others", async () => {
    const failing = async function* (): AsyncIterable<Place> {
      yield { name: "first", content: "" };
      throw new Error("EIO");
    };
    const fine = async function* (): AsyncIterable<Place> {
      yield { name: "second", content: token };
    };
    const seen = await look(
      [
        { name: "disk", places: failing },
        { name: "other", places: fine },
      ],
      search,
      planted,
    );
    expect(seen).toMatchObject({ searched: 2, unread: ["disk: EIO"], blind: [] });
    expect(new Set(seen.hits.map(({ place }) => place))).toEqual(new Set(["second"]));
  });

  it("notices a search that finds nothing", async () => {
    const hasAll = async (places: AsyncIterable<Place>): Promise<readonly Hit[]> => {
      for await (const _ of places);
      return [];
    };
    const ways = (await Array.fromAsync(plantedPlaces(planted))).map(({ name }) => name);
    expect(ways).toEqual(expect.arrayContaining(["a line", "base64 of base64", "a float64, big-endian", "zip"]));
    expect((await look([], hasAll, planted)).blind).toEqual(ways);
  });

  it("notices a search that decodes nothing", async () => {
    const { blind } = await look([], searchFor(needlesOf([planted.canary]), SHALLOW), planted);
    expect(blind).toEqual(expect.arrayContaining(["base64 of base64", "hex of hex", "a list of numbers with spaces"]));
  });

  it.each([
    ["rounded number", ["a rounded number", "a number without decimals", "a number with an exponent"]],
    ["float64", ["a float64, little-endian", "a float64, big-endian"]],
    ["text in hex with separators", ["\\x escapes", "\\u escapes", "% escapes"]],
    ["text in UTF-16", ["UTF-16"]],
  ])("notices a search that does not know %s", async (form, missed) => {
    const needles = needlesOf([marker.canary, planted.canary]).filter((needle) => !needle.form.startsWith(form));
    const { blind } = await look([], searchFor(needles, DEEP), planted);
    expect(blind).toEqual(expect.arrayContaining(missed));
  });
});
