import { expect, it } from "vitest";
import { mayCall } from "./access.ts";

it("lets an operator use every route", () => {
  expect(mayCall("op-admin", "POST", "/v1/devices")).toBe(true);
  expect(mayCall("op-admin", "GET", "/v1/allowlist/collector")).toBe(true);
});

it("lets a gateway use its own routes", () => {
  expect(mayCall("gw-01", "POST", "/v1/gateway/certificate")).toBe(true);
});

it("lets the collector fetch its allowlist", () => {
  expect(mayCall("svc-collector", "GET", "/v1/allowlist/collector")).toBe(true);
});

it.each([
  ["a collector that writes", "svc-collector", "POST", "/v1/allowlist/collector"],
  ["a collector on another route", "svc-collector", "GET", "/v1/devices"],
  ["a collector on a longer path", "svc-collector", "GET", "/v1/allowlist/collector/"],
  ["a name that begins like the collector's", "svc-collector2", "GET", "/v1/allowlist/collector"],
  ["another service", "svc-broker", "GET", "/v1/allowlist/collector"],
  ["a gateway", "gw-01", "GET", "/v1/allowlist/collector"],
  ["a name without the operator's dash", "opera", "GET", "/v1/devices"],
  ["nobody", null, "GET", "/v1/devices"],
  ["an operator on a route of gateways", "op-admin", "GET", "/v1/gateway/allowlist"],
  ["an operator that wants a gateway's certificate", "op-admin", "POST", "/v1/gateway/certificate"],
  ["a gateway on a route of operators", "gw-01", "GET", "/v1/gateways"],
])("refuses %s", (_, name, method, path) => {
  expect(mayCall(name, method, path)).toBe(false);
});
