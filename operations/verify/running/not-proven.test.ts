import { describe, expect, it } from "vitest";
import type { Observation, Shown } from "./observation.ts";
import { component, good, inside, judge, reach, stopped, tls, told } from "./test-weakenings.ts";

describe("what could not be looked at is not proven", () => {
  it("where a component does not run: every check that needs it names it, and the others go on", () => {
    const seen = judge(stopped);
    const of = (id: string) => seen.find((one) => one.id === id)!;
    expect(of("running.components").outcome).toBe("broken");
    for (const id of ["flows", "refused", "listeners", "tls.accepted", "tls.refused", "tls.version", "egress"]) {
      expect([id, of(`running.${id}`).outcome, of(`running.${id}`).seen]).toEqual([
        id,
        "not-proven",
        expect.stringContaining("collector does not run"),
      ]);
    }
    for (const id of ["mounts", "rights", "images", "custody"]) expect(of(`running.${id}`).outcome).toBe("proven");
  });

  it("where a component is paused, which answers nobody and is no fault of its certificates", () => {
    const paused = component("broker", (one: object) => ({ ...one, State: { Running: true, Status: "paused" } }));
    const silent = tls(({ to }) => to === "broker", { outcome: "away", version: "", why: "no answer" });
    const seen = told({ ...paused, ...silent });
    expect(seen["running.components"]).toEqual(["broken", "RUNNING_UNWELL containers.broker"]);
    for (const id of ["flows", "refused", "listeners", "tls.accepted", "tls.refused", "tls.version", "egress"])
      expect([id, seen[`running.${id}`]?.[0]]).toEqual([id, id === "flows" ? undefined : "not-proven"]);
  });

  const without = (left: (one: Observation["reach"][number]) => boolean) => good.reach.filter((one) => !left(one));
  const unshown = (port: string, kind: Shown) =>
    good.tls.filter(({ from, to, shows }) => !(from !== "host" && to === port && shows === kind));
  const open = (id: string) => ({ [id]: ["not-proven"] });
  it.each<[string, Partial<Observation>, Record<string, unknown>]>([
    [
      "a flow that was not tried",
      reach(({ flow }) => flow !== undefined, undefined),
      { ...open("running.flows"), ...open("running.refused") },
    ],
    [
      "a UDP port that answers nobody",
      reach(({ target, from }) => target.protocol === "udp" && from === "host", "silent"),
      open("running.refused"),
    ],
    ["a host whose ports are not known", { hostListeners: { why: "no probe" } }, open("running.egress")],
    [
      "a container with IPv6, where a capture of IPv6 sees nothing of the host's own",
      {
        ...inside("gw-01", { addresses: ["fd00::2"] }),
        watch: {
          answer: {
            ...{ controls: [true, true], controlsOfIpv6: [true, false], otherRoutes: [] },
            ...{ listener: [true, true], left: [] },
          },
        },
      },
      expect.objectContaining(open("running.egress")),
    ],
    ["authorities that cannot be read", { constraints: { why: "no file" } }, open("running.tls.refused")],
    [
      "a handshake without an answer",
      tls(({ shows }) => shows === "old-version", undefined),
      open("running.tls.version"),
    ],
    [
      "a refusal by who is away",
      tls(({ shows }) => shows === "nothing", { outcome: "away" }),
      open("running.tls.refused"),
    ],
    [
      "a revoked one that is refused for something else",
      tls(({ shows }) => shows === "revoked", { outcome: "refused", why: "ECONNRESET" }),
      open("running.tls.refused"),
    ],
    [
      "a capture that sees nothing of the host's own",
      {
        watch: {
          answer: {
            controls: [true, false],
            controlsOfIpv6: [null, null],
            otherRoutes: [],
            listener: [true, true],
            left: [],
          },
        },
      },
      open("running.egress"),
    ],
    [
      "a listener that nobody reaches",
      {
        watch: {
          answer: {
            controls: [true, true],
            controlsOfIpv6: [null, null],
            otherRoutes: [],
            listener: [false, true],
            left: [],
          },
        },
      },
      open("running.egress"),
    ],
    ["a host that is not watched", { watch: { why: "no memory" } }, open("running.egress")],
    [
      "a host whose ways out are others",
      {
        watch: {
          answer: {
            controls: [null, null],
            controlsOfIpv6: [null, null],
            otherRoutes: ["10.0.0.0/8 by eth0"],
            listener: [true, true],
            left: [],
          },
        },
      },
      open("running.egress"),
    ],
    [
      "an image that no lock names",
      { images: new Map([...good.images, ["gateway", { why: "no lock" }]]) },
      { ...open("running.images"), ...open("running.environment") },
    ],
    [
      "custody that does not answer",
      { custody: { sealed: null, kind: null, custodyClass: null } },
      open("running.custody"),
    ],
    [
      "no root to verify with",
      { roots: "no root", tls: [] },
      { ...open("running.tls.accepted"), ...open("running.tls.refused"), ...open("running.tls.version") },
    ],
    [
      "a disk that is not encrypted",
      { volumes: [{ ...good.volumes[0]!, encryption: "none seen" }] },
      { "running.encryption": ["not-proven", "RUNNING_NOT_ENCRYPTED containers.database.volumes"] },
    ],
    ["nobody who tried anything", { reach: [] }, { ...open("running.flows"), ...open("running.refused") }],
    [
      "a container from which nothing was tried",
      { reach: without(({ from }) => from === "loki") },
      expect.objectContaining(open("running.refused")),
    ],
    [
      "an attempt that was not made",
      reach(({ from, flow }) => from === "loki" && flow === undefined, undefined),
      open("running.refused"),
    ],
    [
      "a port that was not tried from one of them",
      { reach: without(({ from, to, flow }) => from === "loki" && to === "collector" && flow === undefined) },
      open("running.refused"),
    ],
    [
      "no container that was looked into",
      { inside: new Map([...good.inside].map(([name]) => [name, { why: "no probe" }])), reach: [] },
      expect.objectContaining(open("running.refused")),
    ],
    ...(["nothing", "other-root", "other-tenant", "revoked"] as const).map(
      (kind): [string, Partial<Observation>, Record<string, unknown>] => [
        `the broker, which was not shown ${kind}`,
        { tls: unshown("broker", kind) },
        open("running.tls.refused"),
      ],
    ),
    ["a port that only others' clients came to", { tls: unshown("backend", "nothing") }, open("running.tls.refused")],
    [
      "a port that was not asked for an old version",
      { tls: unshown("database", "old-version") },
      open("running.tls.version"),
    ],
    [
      "a published port that was not asked from the host's side",
      {
        tls: good.tls.filter(({ from, to, shows }) => !(from === "host" && to === "broker" && shows === "old-version")),
      },
      open("running.tls.version"),
    ],
    ["no volume that was looked at", { volumes: [] }, open("running.encryption")],
  ])("%s", (_, changes, expected) => {
    expect(told(changes)).toEqual(expected);
  });

  it("a probe that did not run, in each check that needs it", () => {
    const why = { why: "beside gw-01: no such image" };
    const without = told({ inside: new Map([...good.inside, ["gw-01", why]]) });
    for (const id of ["refused", "listeners", "tls.accepted", "egress"])
      expect(without[`running.${id}`]).toEqual(["not-proven"]);
  });

  it("a host without any way out needs no capture, and that is said", () => {
    const watch = {
      answer: {
        controls: [null, null],
        controlsOfIpv6: [null, null],
        otherRoutes: [],
        listener: [true, true],
        left: [],
      },
    };
    expect(told({ watch })).toEqual({});
    expect(judge({ watch }).find(({ id }) => id === "running.egress")?.seen).toContain("no route out");
  });

  it("and an encryption that is not seen may be reported", () => {
    const volumes = [{ ...good.volumes[0]!, encryption: "unknown" as const }];
    expect(judge({ volumes }).find(({ id }) => id === "running.encryption")).toMatchObject({ reportOnly: true });
  });
});

it("does not ask profile dev with an open egress for more", () => {
  const watch = { why: "not watched" };
  expect(told({ watch }, { egress: { mode: "open", allow: [] } })).toEqual({ "running.egress": ["not-required"] });
});
