import { describe, expect, test } from "vitest";
import { admittedName, connectDenial, publishDenial, subscribeDenial } from "./access.ts";

const SENSOR = "0123456789abcdef01";
const connection = { protocolVersion: 4, clientId: "mosq-abc", will: undefined };

describe("who may connect", () => {
  test.each([
    [{ OU: "gateways", CN: "gw-01" }, "gw-01"],
    [{ OU: "services", CN: "svc-collector" }, "svc-collector"],
    [{ OU: "services", CN: "svc-backend" }, "svc-backend"],
  ])("admits %j", (subject, name) => {
    expect(admittedName(subject)).toBe(name);
  });

  test.each([
    [{ OU: "operators", CN: "op-admin" }],
    [{ OU: "services", CN: "svc-database" }],
    [{ OU: "services", CN: "svc-broker" }],
    [{ OU: "services", CN: "gateway" }],
    [{ OU: "gateways", CN: "svc-backend" }],
    [{ OU: "gateways", CN: "gw-" }],
    [{ OU: "gateways", CN: "gw-01/../gw-02" }],
    [{ OU: "gateways", CN: ["gw-01", "gw-02"] }],
    [{ CN: "gw-01" }],
    [undefined],
  ])("admits nobody as %j", (subject) => {
    expect(admittedName(subject)).toBeNull();
  });

  test("refuses any protocol but MQTT 3.1.1", () => {
    expect(connectDenial("gw-01", { ...connection, protocolVersion: 3 })).toBe("protocol-version");
    expect(connectDenial("gw-01", { ...connection, protocolVersion: 5 })).toBe("protocol-version");
    expect(connectDenial("gw-01", connection)).toBeNull();
  });

  test("refuses a client id that is too long or holds U+0000", () => {
    expect(connectDenial("gw-01", { ...connection, clientId: "x".repeat(128) })).toBeNull();
    expect(connectDenial("gw-01", { ...connection, clientId: "x".repeat(129) })).toBe("client-id");
    expect(connectDenial("gw-01", { ...connection, clientId: "a\0b" })).toBe("client-id");
  });

  test("checks a will as the publication that it is", () => {
    const will = (topic: string) => connectDenial("gw-01", { ...connection, will: { topic, qos: 1, retain: true } });
    expect(will("tk/v1/gw-01/status")).toBeNull();
    expect(will("tk/v1/gw-02/status")).toBe("will");
    expect(will("tk/v1/gw-01/trust")).toBe("will");
  });
});

describe("who may publish", () => {
  const up = `tk/v1/gw-01/up/${SENSOR}`;
  test.each([
    ["gw-01", up, 1, false],
    ["gw-01", up, 0, false],
    ["gw-01", "tk/v1/gw-01/status", 1, true],
    ["svc-collector", "tk/v1/gw-01/receipt", 1, false],
    ["svc-backend", "tk/v1/gw-01/trust", 1, true],
  ])("lets %s publish to %s, QoS %d, retained %s", (name, topic, qos, retain) => {
    expect(publishDenial(name, { topic, qos, retain })).toBeNull();
  });

  test.each([
    ["gw-02", up, 1, false, "topic"],
    ["gw-01", up, 1, true, "retain"],
    ["gw-01", up, 2, false, "qos"],
    ["gw-01", `tk/v1/gw-01/up/${SENSOR.toUpperCase()}`, 1, false, "topic"],
    ["gw-01", "tk/v1/gw-01/trust", 1, true, "topic"],
    ["gw-01", "tk/v1/gw-01/receipt", 1, false, "topic"],
    ["svc-collector", "tk/v1/gw-01/trust", 1, true, "topic"],
    ["svc-collector", "tk/v1/gw-01/receipt", 1, true, "retain"],
    ["svc-backend", up, 1, false, "topic"],
    ["svc-backend", "$SYS/broker", 1, false, "topic"],
  ])("does not let %s publish to %s, QoS %d, retained %s", (name, topic, qos, retain, reason) => {
    expect(publishDenial(name, { topic, qos, retain })).toBe(reason);
  });
});

describe("who may subscribe", () => {
  test.each([
    ["gw-01", "tk/v1/gw-01/receipt"],
    ["gw-01", "tk/v1/gw-01/cmd/+"],
    ["svc-collector", "tk/v1/+/up/+"],
  ])("lets %s subscribe to %s", (name, filter) => {
    expect(subscribeDenial(name, filter)).toBeNull();
  });

  test.each([
    ["gw-01", "#", "topic"],
    ["gw-01", "+/+/+/+/+", "topic"],
    ["gw-01", "tk/v1/+/receipt", "topic"],
    ["gw-01", "tk/v1/gw-02/trust", "topic"],
    ["gw-01", "tk/v1/gw-01/up/+", "topic"],
    ["svc-collector", "#", "topic"],
    ["svc-collector", "$SYS/#", "topic"],
    ["svc-backend", "tk/v1/+/up/+", "topic"],
    ["svc-collector", "$share/collector/tk/v1/+/up/+", "shared-subscription"],
  ])("does not let %s subscribe to %s", (name, filter, reason) => {
    expect(subscribeDenial(name, filter)).toBe(reason);
  });
});
