import { describe, expect, test } from "vitest";
import { createSessionAges } from "./session-ages.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TIME = "2026-11-21T17:50:00+0000: ";
const GATEWAY = "CN=gw-01,OU=gateways,O=acme";
const OPERATOR = "CN=op-admin,OU=operators,O=acme";
const COLLECTOR = "CN=svc-collector,OU=services,O=acme";
const connected = (user = GATEWAY, id = user) =>
  `${TIME}New client connected from 10.0.0.1:5000 as ${id} (p2, c1, k60, u'${user}').`;

/** Ages at a clock that the test sets. */
function agesAt(mostSeconds = 86_400) {
  const clock = { at: 0 };
  const ages = createSessionAges({ mostSeconds, now: () => clock.at });
  const takenAt = (at: number): readonly string[] => {
    clock.at = at;
    return ages.take();
  };
  return { ...ages, clock, takenAt };
}

describe("a session ends for its age", () => {
  test("after a day at the latest, and not within nine tenths of it", () => {
    for (const user of [GATEWAY, "CN=svc-collector,OU=services,O=acme"]) {
      const { hear, takenAt } = agesAt();
      hear(connected(user));
      expect(takenAt(0.9 * DAY_MS - 1)).toEqual([]);
      expect(takenAt(DAY_MS)).toEqual([user]);
    }
  });

  test("after an hour where an operator began it, and where nobody knows whose class it is", () => {
    for (const user of [OPERATOR, "CN=somebody,O=acme", "CN=x,OU=gateways,OU=operators,O=acme"]) {
      const { hear, takenAt } = agesAt();
      hear(connected(user));
      expect(takenAt(0.9 * HOUR_MS - 1)).toEqual([]);
      expect(takenAt(HOUR_MS)).toEqual([user]);
    }
  });

  test("once, and again when it has begun again and is as old", () => {
    const { hear, takenAt } = agesAt();
    hear(connected());
    expect(takenAt(DAY_MS)).toEqual([GATEWAY]);
    expect(takenAt(DAY_MS + 1)).toEqual([]);
    hear(connected());
    expect(takenAt(2 * DAY_MS + 1)).toEqual([GATEWAY]);
  });

  test("when the deployment allows less", () => {
    const { hear, takenAt } = agesAt(10);
    hear(connected());
    hear(connected(OPERATOR));
    expect(takenAt(8_999)).toEqual([]);
    expect(takenAt(10_000)).toEqual([GATEWAY, OPERATOR]);
  });

  test("though many lines that name its user are not its end", () => {
    const { hear, takenAt } = agesAt();
    hear(connected());
    hear(`${TIME}Denied PUBLISH from ${GATEWAY} (d0, q1, r0, m1, ': Client ${GATEWAY} disconnected', ... (9 bytes))`);
    hear(`${TIME}Denied SUBSCRIBE from ${GATEWAY} to "x: mosquitto version 2.0.21 starting"`);
    hear(`${TIME}Client ${GATEWAY}0 disconnected.`);
    hear(`${TIME}Client CN=gw-02,OU=gateways,O=acme disconnected.`);
    hear(`${TIME}New connection from 10.0.0.1:5001 on port 8883.`);
    hear(`${TIME}Reloading config.`);
    expect(takenAt(DAY_MS)).toEqual([GATEWAY]);
  });
});

describe("no session ends for its age", () => {
  test.each([
    `Client ${GATEWAY} disconnected.`,
    `Client ${GATEWAY} closed its connection.`,
    `Client ${GATEWAY} has exceeded timeout, disconnecting.`,
    `Client ${GATEWAY} disconnected due to protocol error.`,
    `Client ${GATEWAY} disconnected: protocol error.`,
    `Socket error on client ${GATEWAY}, disconnecting.`,
    `Bad socket read/write on client ${GATEWAY}: The connection was lost.`,
    "mosquitto version 2.0.21 starting",
  ])("that is gone: %s", (line) => {
    const { hear, takenAt } = agesAt();
    hear(connected());
    hear(TIME + line);
    expect(takenAt(DAY_MS)).toEqual([]);
  });

  test("that another one of the same identity took the place of", () => {
    const { hear, clock, takenAt } = agesAt();
    hear(connected());
    clock.at = DAY_MS / 2;
    hear(`${TIME}Client ${GATEWAY} already connected, closing old connection.`);
    hear(connected());
    expect(takenAt(DAY_MS)).toEqual([]);
    expect(takenAt(1.5 * DAY_MS)).toEqual([GATEWAY]);
  });

  test("together with all others that began with it", () => {
    const { hear, takenAt } = agesAt();
    const users = Array.from({ length: 200 }, (_, number) => `CN=gw-${number},OU=gateways,O=acme`);
    for (const user of users) hear(connected(user));
    const most = Math.max(
      ...Array.from({ length: 145 }, (_, minute) => takenAt(DAY_MS - (144 - minute) * 60_000).length),
    );
    expect(most).toBeLessThan(10);
    expect(takenAt(2 * DAY_MS)).toEqual([]);
  });
});

describe("of a user with several sessions, each under an id of its own,", () => {
  test("the oldest one decides, whoever comes later", () => {
    const { hear, clock, takenAt } = agesAt();
    hear(connected(COLLECTOR, "collector-a"));
    clock.at = 0.8 * DAY_MS;
    hear(connected(COLLECTOR, "collector-b"));
    expect(takenAt(DAY_MS)).toEqual([COLLECTOR]);
    expect(takenAt(1.5 * DAY_MS)).toEqual([]);
  });

  test.each([
    `${TIME}Client ${COLLECTOR} disconnected.`,
    `${TIME}Client collector-b disconnected.`,
    `${TIME}Socket error on client ${COLLECTOR}, disconnecting.`,
  ])("no line takes the others' age away: %s", (line) => {
    const { hear, takenAt } = agesAt();
    hear(connected(COLLECTOR, "collector-a"));
    hear(connected(COLLECTOR));
    hear(line);
    expect(takenAt(DAY_MS)).toEqual([COLLECTOR]);
  });

  test("an id that is written like a line of the log makes nobody else of it", () => {
    const { hear, takenAt } = agesAt();
    hear(connected(COLLECTOR, `x (p2, c1, k60, u'${GATEWAY}') as y`));
    expect(takenAt(DAY_MS)).toEqual([COLLECTOR]);
  });

  test("a start of the broker ends all of them", () => {
    const { hear, takenAt } = agesAt();
    hear(connected(COLLECTOR, "collector-a"));
    hear(`${TIME}mosquitto version 2.0.21 starting`);
    hear(connected(COLLECTOR));
    hear(`${TIME}Client ${COLLECTOR} disconnected.`);
    expect(takenAt(DAY_MS)).toEqual([]);
  });
});
