import { describe, expect, test } from "vitest";
import { peerName } from "./peer-name.ts";

describe("the name of a peer", () => {
  test.each([
    [{ OU: "gateways", CN: "gw-01" }, "gw-01"],
    [{ OU: "services", CN: "svc-backend" }, "svc-backend"],
    [{ OU: "operators", CN: "op-admin" }, "op-admin"],
  ])("is the common name of its own class: %j", (subject, name) => {
    expect(peerName(subject)).toBe(name);
  });

  test.each([
    [{ OU: "gateways", CN: "svc-backend" }],
    [{ OU: "services", CN: "gw-01" }],
    [{ OU: "operators", CN: "gw-01" }],
    [{ OU: ["gateways", "services"], CN: "svc-backend" }],
    [{ OU: "gateways", CN: ["gw-01", "gw-02"] }],
    [{ OU: "toString", CN: "gw-01" }],
    [{ CN: "gw-01" }],
    [{ OU: "gateways" }],
    [{}],
    [undefined],
  ])("is nobody's when class and name do not belong together: %j", (subject) => {
    expect(peerName(subject)).toBeNull();
  });
});
