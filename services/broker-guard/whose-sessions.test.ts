import { describe, expect, test } from "vitest";
import { planEnds } from "./whose-sessions.ts";

const GATEWAYS = ["CN=gw-01,OU=gateways,O=acme", "CN=gw-02,OU=gateways,O=acme"];
const COLLECTOR = "CN=svc-collector,OU=services,O=acme";
const acl = [...GATEWAYS, COLLECTOR].map((user) => `user ${user}\ntopic read x\n`).join("\n");
const ends = (
  ended: Parameters<typeof planEnds>[0]["ended"],
  revoked: Parameters<typeof planEnds>[0]["revoked"] = [],
  after = 0,
) => planEnds({ tenant: "acme", ended, after, revoked, acl });
const named = (name: string, serial?: string, reason = "certificate-revoked") => ({
  seq: 1,
  name,
  reason,
  ...(serial !== undefined && { serial }),
});

describe("whose sessions end", () => {
  test("nobody's, where nothing happened", () => {
    expect(ends([])).toMatchObject({ users: [], everybody: false });
  });

  test("theirs whom the backend names, in the class of their name", () => {
    expect(ends([named("gw-01"), named("svc-collector"), named("op-admin")]).users).toEqual([
      GATEWAYS[0],
      COLLECTOR,
      "CN=op-admin,OU=operators,O=acme",
    ]);
  });

  test("theirs alone, where the backend says whose the revoked certificate was, however it writes the number", () => {
    const revoked = [{ issuer: "TrustKern gateways", serial: "1a2b" }];
    expect(ends([named("gw-01", "001A2B")], revoked)).toMatchObject({ users: [GATEWAYS[0]], everybody: false });
    expect(ends([named("gw-01")], revoked)).toMatchObject({ users: [GATEWAYS[0]], everybody: false });
  });

  test("nobody's twice, but theirs who could come back until a list had their certificate", () => {
    const past = [named("gw-01", "1a2b"), named("gw-02", "3c4d")];
    expect(ends(past, [], 1)).toMatchObject({ named: [], users: [], everybody: false });
    const revoked = [{ issuer: "TrustKern gateways", serial: "1a2b" }];
    expect(ends(past, revoked, 1)).toMatchObject({ named: [past[0]], users: [GATEWAYS[0]], everybody: false });
  });

  test.each([
    ["names nobody", []],
    ["names another certificate", [named("gw-01", "ffff")]],
    ["names one of another class", [named("svc-collector", "1a2b")]],
    ["names one whose token alone was revoked", [named("gw-01", undefined, "token-revoked")]],
  ])("the whole class's, where the backend %s", (_, ended) => {
    const { users, everybody } = ends(ended, [{ issuer: "TrustKern gateways", serial: "1a2b" }]);
    expect(users).toEqual(expect.arrayContaining(GATEWAYS));
    expect(everybody).toBe(false);
  });

  test("the whole class's, where two were revoked and one is named", () => {
    const revoked = ["1a", "2b"].map((serial) => ({ issuer: "TrustKern gateways", serial }));
    expect(ends([named("gw-01", "1a")], revoked).users).toEqual(GATEWAYS);
    expect(ends([named("gw-01")], revoked).users).toEqual(GATEWAYS);
  });

  test("everybody's, where an operator's certificate was revoked that nobody names: no list has the operators", () => {
    expect(ends([], [{ issuer: "TrustKern operators", serial: "1a" }]).everybody).toBe(true);
    expect(ends([named("op-admin", "1a")], [{ issuer: "TrustKern operators", serial: "1a" }]).everybody).toBe(false);
  });

  test("nobody's, where what is revoked is no client: an authority's sessions end with its restart", () => {
    expect(ends([], [{ issuer: "TrustKern root", serial: "1a" }])).toMatchObject({ users: [], everybody: false });
  });
});
