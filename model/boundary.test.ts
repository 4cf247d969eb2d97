import { describe, expect, it } from "vitest";
import { TrustKernError } from "../shared/errors.ts";
import { checkBoundary, type Model, verifiedModel } from "./boundary.ts";
import { FLOW_CARRIES, ZONE_HOLDS } from "./boundary-table.ts";
import type { Component, Grant } from "./component.ts";
import { modelErrors } from "./errors.ts";
import { findingsOf } from "./findings.ts";
import type { Flow } from "./flow.ts";
import { type DataClass, ZONES, type Zone } from "./zones.ts";

function part(name: string, zone: Zone, holds: readonly DataClass[] = []): Component {
  return {
    name,
    zone,
    holds,
    ports: [{ name: "p", port: 1, protocol: "tcp" }],
    sockets: [{ name: "s", path: "/s" }],
    files: [],
    secrets: [],
    volumes: [],
    scratch: [],
    health: { kind: "socket", socket: "s", startupSeconds: 1 },
    limits: { memoryMiB: 1, pids: 1, cpus: 1 },
    replicas: 1,
    exceptions: [],
    network: true,
    renewal: "restart",
    workers: false,
  };
}

const inside = part("collector", "decryption", ["plaintext"]);
const outside = part("logs", "operations", ["metadata"]);
const model = (flows: readonly Flow[], components: readonly Component[] = [inside, outside]): Model => ({
  engine: "embedded",
  components,
  flows,
});
const edge = (over: Partial<Flow>): Flow => ({
  from: "collector",
  to: "logs",
  port: "p",
  protection: "mtls",
  carries: ["metadata"],
  ...over,
});
const publishing = (name: string, zone: Zone, port: string): Model =>
  model([], [{ ...part(name, zone), ports: [{ name: port, port: 1, protocol: "tcp", publish: true }] }]);
const codes = (checked: Model) => checkBoundary(checked).map(({ code }) => code);

describe("the table", () => {
  it("lets plaintext into decryption, and into a device that measured it, alone", () => {
    expect(ZONES.filter((zone) => (ZONE_HOLDS[zone] as readonly string[]).includes("plaintext"))).toEqual([
      "device",
      "decryption",
    ]);
  });

  it("lets a decryption key into decryption alone", () => {
    expect(ZONES.filter((zone) => (ZONE_HOLDS[zone] as readonly string[]).includes("decryption-key"))).toEqual([
      "decryption",
    ]);
  });

  it("lets no flow carry plaintext, a decryption key or a signing key across a zone's border", () => {
    for (const from of ZONES) {
      for (const to of ZONES.filter((zone) => zone !== from)) {
        const carried: readonly string[] = FLOW_CARRIES[from][to];
        expect(carried).not.toContain("plaintext");
        expect(carried).not.toContain("decryption-key");
        expect(carried).not.toContain("signing-key");
      }
    }
  });

  it("is symmetric, since a connection carries data both ways", () => {
    for (const from of ZONES) for (const to of ZONES) expect(FLOW_CARRIES[from][to]).toEqual(FLOW_CARRIES[to][from]);
  });

  it("lets a flow carry nothing within a zone that the zone may not hold", () => {
    for (const zone of ZONES) expect(ZONE_HOLDS[zone]).toEqual(expect.arrayContaining([...FLOW_CARRIES[zone][zone]]));
  });
});

describe("checkBoundary", () => {
  it("accepts a model that keeps the table", () => {
    expect(codes(model([edge({})]))).toEqual([]);
  });

  it.each<[string, Model, string]>([
    ["plaintext at the edge", model([], [part("gw", "edge", ["plaintext"])]), "BOUNDARY_ZONE_HOLDS"],
    ["the database's port to outside", publishing("database", "decryption", "postgres"), "BOUNDARY_PUBLISHED"],
    ["custody's port to outside", publishing("custody", "decryption", "https"), "BOUNDARY_PUBLISHED"],
    ["another's https as Grafana's", publishing("grafana2", "decryption", "https"), "BOUNDARY_PUBLISHED"],
    ["another port of Grafana", publishing("grafana", "decryption", "metrics"), "BOUNDARY_PUBLISHED"],
    ["metrics to outside", publishing("broker", "ingress", "metrics"), "BOUNDARY_PUBLISHED"],
    ["a port of a device", publishing("simulator", "device", "coap"), "BOUNDARY_PUBLISHED"],
    ["plaintext out of the boundary", model([edge({ carries: ["plaintext"] })]), "BOUNDARY_FLOW_CARRIES"],
    [
      "plaintext fetched from outside",
      model([edge({ from: "logs", to: "collector", carries: ["plaintext"] })]),
      "BOUNDARY_FLOW_CARRIES",
    ],
    ["a flow that carries nothing", model([edge({ carries: [] })]), "BOUNDARY_FLOW_EMPTY"],
    ["a flow to nowhere", model([edge({ to: "nobody" })]), "BOUNDARY_FLOW_END"],
    ["a flow from nowhere", model([edge({ from: "nobody" })]), "BOUNDARY_FLOW_END"],
    ["a port that is not there", model([edge({ port: "q" })]), "BOUNDARY_FLOW_PORT"],
    ["a socket taken for a port", model([edge({ port: "s" })]), "BOUNDARY_FLOW_PORT"],
    ["a port taken for a socket", model([edge({ protection: "unix" })]), "BOUNDARY_FLOW_PORT"],
    ["two components of one name", model([], [inside, inside]), "BOUNDARY_NAME_TAKEN"],
    [
      "loopback between hosts",
      { ...model([edge({ protection: "loopback" })]), engine: "docker" },
      "BOUNDARY_FLOW_LOOPBACK",
    ],
  ])("refuses %s", (_, checked, code) => {
    expect(codes(checked)).toEqual([code]);
  });

  it.each<[string, Zone, string]>([
    ["gw-01", "edge", "coap"],
    ["broker", "ingress", "mqtts"],
    ["grafana", "decryption", "https"],
    ["backend", "operations", "https"],
  ])("lets %s of zone %s publish its port %s", (name, zone, port) => {
    expect(codes(publishing(name, zone, port))).toEqual([]);
  });

  it("refuses plaintext inside a CoAP envelope twice: for its zones and for its protection", () => {
    const flows = [edge({ protection: "envelope", carries: ["plaintext"] })];
    expect(codes(model(flows))).toEqual(["BOUNDARY_FLOW_CARRIES", "BOUNDARY_FLOW_PROTECTION"]);
  });

  it("reports every breach at once", () => {
    const gateway = part("gw", "edge", ["plaintext", "decryption-key"]);
    const checked = model([edge({ from: "gw", carries: ["plaintext"] })], [inside, outside, gateway]);
    expect(codes(checked)).toEqual(["BOUNDARY_ZONE_HOLDS", "BOUNDARY_ZONE_HOLDS", "BOUNDARY_FLOW_CARRIES"]);
  });

  it("names the component, the class and what is accepted", () => {
    const [finding] = checkBoundary(model([], [part("gw", "edge", ["plaintext"])]));
    expect(finding?.path).toBe("components.gw.holds");
    expect(finding?.message).toContain("plaintext");
    expect(finding?.message).toContain("ciphertext, metadata, credential");
  });

  it("uses only codes that explain knows", () => {
    const broken = model(
      [edge({ port: "q", carries: ["plaintext"], protection: "loopback" })],
      [inside, inside, outside],
    );
    for (const code of codes({ ...broken, engine: "docker" })) expect(modelErrors.entries).toHaveProperty(code);
  });
});

describe("verifiedModel", () => {
  it("gives back a model that keeps the boundary", () => {
    const good = model([edge({})]);
    expect(verifiedModel(good)).toBe(good);
  });

  it("throws BOUNDARY_BROKEN, exit code 5, with every finding", () => {
    const bad = model([edge({ carries: ["plaintext", "decryption-key"] })]);
    try {
      verifiedModel(bad);
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(TrustKernError);
      expect(thrown).toMatchObject({ code: "BOUNDARY_BROKEN", exit: 5 });
      expect(findingsOf(thrown)).toHaveLength(2);
    }
  });
});

describe("a place of the host", () => {
  const seeing = (component: Component, grant: Grant): Component => ({
    ...component,
    exceptions: [{ what: "keys", reason: "its key is there", grants: [grant] }],
  });
  const codes = (one: Grant, other: Grant, zone: Zone = "operations") =>
    checkBoundary(model([], [seeing(inside, one), seeing(part("ca", zone), other)])).map(({ code }) => code);

  it.each<[Grant, Grant]>([
    ["host-socket:/run/keys/sock", "host-socket:/run/keys/sock"],
    ["host-socket:/run/keys/sock", "host-socket:/run/keys/other/sock"],
    ["host-socket:/run/keys/own/sock", "host-socket:/run/keys/sock"],
    ["device:/dev/tpmrm0", "device:/dev/tpmrm0"],
  ])("of two zones is refused: %s and %s", (one, other) => {
    expect(codes(one, other)).toEqual(["BOUNDARY_HOST_PLACE"]);
  });

  it("is one zone's, or each zone has its own", () => {
    expect(codes("device:/dev/tpmrm0", "device:/dev/tpmrm1")).toEqual([]);
    expect(codes("host-socket:/run/keys/sock", "host-socket:/run/keys-custody/sock")).toEqual([]);
    expect(codes("device:/dev/tpmrm0", "device:/dev/tpmrm0", "decryption")).toEqual([]);
    expect(codes("user:root", "user:root")).toEqual([]);
  });
});
