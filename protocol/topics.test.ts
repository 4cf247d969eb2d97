import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ACCESS,
  cmdTopic,
  mayPublish,
  mayReceive,
  maySubscribe,
  otaTopic,
  parseIdentity,
  parseUpTopic,
  receiptTopic,
  statusTopic,
  trustTopic,
  upTopic,
} from "./topics.ts";

const SENSOR = "61c07083425764d982";
const TOPICS = {
  up: upTopic("gw-01", SENSOR),
  receipt: receiptTopic("gw-01"),
  trust: trustTopic("gw-01"),
  cmd: cmdTopic("gw-01", SENSOR),
  status: statusTopic("gw-01"),
  ota: otaTopic("gw-01", SENSOR),
};
const NAMES = ["gw-01", "gw-02", "svc-collector", "svc-backend", "svc-broker", "op-admin", "", "+", "#"] as const;

/** The specification's table, written out a second time. */
const PUBLISH: Record<string, readonly string[]> = {
  "gw-01": ["up", "status", "ota"],
  "svc-collector": ["receipt"],
  "svc-backend": ["trust", "cmd"],
};
const READ: Record<string, readonly string[]> = {
  "gw-01": ["trust", "cmd", "receipt"],
  "svc-collector": ["up", "status", "ota"],
  "svc-backend": ["status", "ota"],
};

describe("the access table", () => {
  it("names each topic of the specification once", () =>
    expect(ACCESS.map(({ topic }) => topic)).toEqual(Object.keys(TOPICS)));

  describe.each(NAMES)("for %j", (name) => {
    it.each(Object.entries(TOPICS))("grants %s only as the specification does", (kind, topic) => {
      expect(mayPublish(name, topic)).toBe(PUBLISH[name]?.includes(kind) ?? false);
      expect(mayReceive(name, topic)).toBe(READ[name]?.includes(kind) ?? false);
      expect(maySubscribe(name, topic)).toBe(READ[name]?.includes(kind) ?? false);
    });

    it.each(Object.entries(TOPICS))("lets only services read every gateway's %s", (kind, topic) => {
      const every = topic.replace("gw-01", "+");
      expect(maySubscribe(name, every)).toBe(name.startsWith("svc-") && (READ[name]?.includes(kind) ?? false));
      expect(mayPublish(name, every)).toBe(false);
    });
  });

  it("lets a gateway read its commands for all sensors", () =>
    expect(maySubscribe("gw-01", cmdTopic("gw-01", "+"))).toBe(true));

  it("lets the collector alone, and in its own group alone, share a subscription", () => {
    const filter = upTopic("+", "+");
    expect(maySubscribe("svc-collector", filter)).toBe(true);
    expect(maySubscribe("svc-collector", `$share/collector/${filter}`)).toBe(true);
    expect(maySubscribe("svc-collector", `$share/other/${filter}`)).toBe(false);
    expect(maySubscribe("svc-collector", `$share/collector/$share/collector/${filter}`)).toBe(false);
    expect(maySubscribe("svc-collector", `$share/collector/${trustTopic("+")}`)).toBe(false);
    expect(maySubscribe("gw-01", `$share/collector/${filter}`)).toBe(false);
    expect(maySubscribe("gw-01", `$share/collector/${TOPICS.trust}`)).toBe(false);
  });

  it.each([
    "#",
    "+",
    "tk/#",
    "tk/v1/#",
    "tk/v1/gw-01/#",
    "tk/v1/gw-01/up/#",
    "tk/v1/+/+",
    "tk/v1/+/+/+",
    "+/v1/gw-01/trust",
    "tk/+/gw-01/trust",
    "tk/v1/gw-01/+",
    "$SYS/#",
    "$SYS/broker/uptime",
    "tk/v1/gw-0+/trust",
    "/tk/v1/gw-01/trust",
    "tk/v1/gw-01/trust/",
    "tk/v1/gw-01/trust/x",
    "TK/v1/gw-01/trust",
    "tk/v2/gw-01/trust",
    "tk/v1//trust",
    "tk/v1/gw-01/cmd",
    "tk/v1/gw-01/cmd/",
    "",
  ])("grants the filter %j to nobody", (filter) => {
    for (const name of NAMES) expect(maySubscribe(name, filter), name).toBe(false);
  });

  it.each([
    upTopic("gw-01", "+"),
    upTopic("gw-01", SENSOR.toUpperCase()),
    upTopic("gw-01", SENSOR.slice(2)),
    `${TOPICS.up}/x`,
    `${TOPICS.up}\0`,
    "tk/v1/gw-01/up",
    "$SYS/x",
    "will",
  ])("lets nobody publish to %j", (topic) => {
    for (const name of NAMES) expect(mayPublish(name, topic), name).toBe(false);
  });

  it("delivers a topic only where a subscription to it would be granted", () => {
    const level = fc.constantFrom(
      "tk",
      "v1",
      "gw-01",
      "gw-02",
      "up",
      "cmd",
      "trust",
      "receipt",
      "status",
      "ota",
      SENSOR,
      "+",
      "#",
      "",
    );
    const topic = fc.array(level, { maxLength: 6 }).map((levels) => levels.join("/"));
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), topic, (name, any) => {
        if (mayReceive(name, any)) expect(maySubscribe(name, any)).toBe(true);
        expect(mayPublish(name, any) && mayReceive(name, any)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a common name", () => {
  it.each([
    ["gw-01", "gateway"],
    [`gw-${"a".repeat(60)}`, "gateway"],
    ["gw--", "gateway"],
    ["svc-collector", "service"],
  ])("%s is a %s", (name, kind) => expect(parseIdentity(name)).toEqual({ kind, name }));

  it.each([
    "",
    "gw-",
    "gw",
    `gw-${"a".repeat(61)}`,
    "GW-01",
    "gw-A",
    "gw_01",
    "gw-01\n",
    " gw-01",
    "gw-+",
    "gw-#",
    "gw-a/b",
    "op-admin",
    "svc-",
    "xgw-01",
    "gw-é",
  ])("%j is none", (name) => expect(parseIdentity(name)).toBeNull());
});

describe("an up topic", () => {
  it("names gateway and sensor", () => expect(parseUpTopic(TOPICS.up)).toEqual({ gateway: "gw-01", sensorId: SENSOR }));

  it.each([
    TOPICS.ota,
    TOPICS.trust,
    upTopic("+", SENSOR),
    upTopic("gw-01", "+"),
    upTopic("svc-collector", SENSOR),
    upTopic("gw-01", SENSOR.toUpperCase()),
    "",
  ])("is not %j", (topic) => expect(parseUpTopic(topic)).toBeNull());
});
