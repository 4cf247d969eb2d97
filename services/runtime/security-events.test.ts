import { expect, it } from "vitest";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { createSecurityEvents } from "./security-events.ts";

it("logs an event with every field of the schema and hands it to each listener", () => {
  const logged: unknown[] = [];
  const heard: SecurityEvent[] = [];
  const log = { info: (line: unknown) => logged.push(line) };
  const events = createSecurityEvents({ name: "backend", tenant: "acme", log, now: () => 0 });
  events.onEvent((event) => heard.push(event));
  events.emit({ kind: "AUTH_FAILED", actor: "gw-01", object: "GET /v1/devices", reason: "role" });
  const event = {
    time: "1970-01-01T00:00:00.000Z",
    tenant: "acme",
    actor: "gw-01",
    sourceAddress: null,
    count: 1,
    correlationId: null,
    kind: "AUTH_FAILED",
    object: "GET /v1/devices",
    reason: "role",
  };
  expect(heard).toEqual([event]);
  expect(logged).toEqual([{ event }]);
});

it("names the component where nobody else acted", () => {
  const heard: SecurityEvent[] = [];
  const events = createSecurityEvents({ name: "backend", tenant: "acme", log: { info: () => {} }, now: () => 0 });
  events.onEvent((event) => heard.push(event));
  events.emit({ kind: "KEY_USED", object: "key", reason: "sign" });
  expect(heard[0]).toMatchObject({ actor: "backend", count: 1 });
});
