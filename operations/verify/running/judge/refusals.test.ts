import { describe, expect, it } from "vitest";
import type { Observation } from "../observation.ts";
import { component, facts, factsOf, good, judge, tls, told } from "../test-weakenings.ts";

const open = (id: string) => ({ [id]: ["not-proven"] });
const seenOf = (id: string, changes: Partial<Observation>) => judge(changes).find((one) => one.id === id)?.seen;

describe("a refusal shows nothing", () => {
  it("at a port that takes nobody at all", () => {
    const dead = tls(({ to, port, shows }) => to === "broker" && port === "mqtts" && shows === "own", {
      outcome: "refused",
    });
    expect(told(dead)).toMatchObject({
      "running.tls.accepted": ["broken", "RUNNING_TLS_OWN containers.broker.ports.mqtts"],
      ...open("running.tls.refused"),
      ...open("running.tls.version"),
    });
    expect(seenOf("running.tls.refused", dead)).toContain("broker.mqtts takes nobody");
  });

  it("from the host's side either", () => {
    const silent = tls(({ to, shows }) => to === "broker" && shows === "host", { outcome: "away", version: "" });
    expect(told(silent)).toEqual(open("running.tls.version"));
  });

  it.each(["away", "untrusted"] as const)("where the port was %s", (outcome) => {
    const unclear = tls(({ to, shows }) => to === "backend" && shows === "other-root", { outcome, version: "" });
    expect(told(unclear)).toEqual(open("running.tls.refused"));
  });
});

describe("an old version is spoken", () => {
  it.each(["TLSv1", "TLSv1.1", "TLSv1.2", "SSLv3"])("that is %s", (version) => {
    const old = tls(({ to, shows }) => to === "database" && shows === "old-version", { outcome: "refused", version });
    expect(told(old)).toMatchObject({ "running.tls.version": ["broken", expect.stringContaining("database")] });
  });
});

describe("what else breaks a check", () => {
  it.each<[string, Partial<Observation>, string]>([
    [
      "a published port that is missing",
      component("broker", (one: { HostConfig: object }) => ({
        ...one,
        HostConfig: { ...one.HostConfig, PortBindings: {} },
      })),
      "running.listeners",
    ],
    [
      "a name that only one container knows",
      facts("gw-01", { networks: [...factsOf("gw-01").networks, "host=x:1.2.3.4"] }),
      "running.rights",
    ],
    ["custody that tells no class", { custody: { ...good.custody, custodyClass: null } }, "running.custody"],
    ["custody of a class that nobody knows", { custody: { ...good.custody, custodyClass: "best" } }, "running.custody"],
  ])("%s", (_, changes, id) => {
    expect(told(changes)).toMatchObject({ [id]: ["broken", expect.any(String)] });
  });
});

it("does not take a probe that did not answer for one to whom nothing was told", () => {
  const resolves = new Map([...good.resolves].filter(([name]) => name !== "gw-01"));
  expect(told({ resolves })).toEqual(open("running.egress"));
});
