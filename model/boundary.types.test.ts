import { describe, expect, expectTypeOf, it } from "vitest";
import type { MayCarry, MayHold } from "./boundary-table.ts";
import { type Component, type ComponentIn, component } from "./component.ts";
import { flow } from "./flow.ts";
import type { Zone } from "./zones.ts";

// tsc is the judge here: an @ts-expect-error without an error below it is itself an error.
const rest = {
  name: "part",
  files: [],
  sockets: [],
  health: { kind: "socket", socket: "control", startupSeconds: 1 },
  limits: { memoryMiB: 1, pids: 1, cpus: 1 },
  network: true,
} as const;
const device = component({ ...rest, zone: "device", holds: ["plaintext", "signing-key"] });
const edge = component({ ...rest, zone: "edge", holds: ["ciphertext"] });
const ingress = component({ ...rest, zone: "ingress", holds: ["ciphertext"] });
const inside = component({ ...rest, zone: "decryption", holds: ["plaintext", "decryption-key"] });
const operations = component({ ...rest, zone: "operations", holds: ["metadata", "signing-key"] });
const wide = "edge" as Zone;
const unknownZone: Component = edge;

describe("what must not compile", () => {
  it("refuses plaintext and keys in zones that must not see them", () => {
    // @ts-expect-error plaintext outside the boundary
    component({ ...rest, zone: "edge", holds: ["plaintext"] });
    // @ts-expect-error one forbidden class among allowed ones
    component({ ...rest, zone: "ingress", holds: ["ciphertext", "decryption-key"] });
    // @ts-expect-error operations see metadata only
    component({ ...rest, zone: "operations", holds: ["ciphertext"] });
    // @ts-expect-error a sensor has no decryption key
    component({ ...rest, zone: "device", holds: ["decryption-key"] });
    // @ts-expect-error no device key inside the boundary
    component({ ...rest, zone: "decryption", holds: ["signing-key"] });
    // @ts-expect-error a zone that is only known at run time gets what every zone may hold
    component({ ...rest, zone: wide, holds: ["plaintext"] });
    // @ts-expect-error no such zone
    component({ ...rest, zone: "cloud", holds: [] });
    expect(edge.holds).toEqual(["ciphertext"]);
  });

  it("refuses flows that carry plaintext or keys out of the boundary", () => {
    // @ts-expect-error plaintext out
    flow({ from: inside, to: operations, port: "p", protection: "mtls", carries: ["plaintext"] });
    // @ts-expect-error a decryption key out
    flow({ from: inside, to: ingress, port: "p", protection: "mtls", carries: ["decryption-key"] });
    // @ts-expect-error and not when the outside is the one that connects
    flow({ from: operations, to: inside, port: "p", protection: "mtls", carries: ["plaintext"] });
    // @ts-expect-error edge and decryption do not speak with each other
    flow({ from: edge, to: inside, port: "p", protection: "mtls", carries: ["metadata"] });
    // @ts-expect-error a signing key never travels
    flow({ from: device, to: operations, port: "p", protection: "mtls", carries: ["signing-key"] });
    // @ts-expect-error an envelope carries ciphertext and metadata
    flow({ from: inside, to: inside, port: "p", protection: "envelope", carries: ["plaintext"] });
    // @ts-expect-error a flow says what it carries
    flow({ from: edge, to: ingress, port: "p", protection: "mtls", carries: [] });
    // @ts-expect-error a zone that is only known at run time gets what every zone may
    flow({ from: unknownZone, to: inside, port: "p", protection: "mtls", carries: ["plaintext"] });
    const { carries } = flow({ from: edge, to: ingress, port: "p", protection: "mtls", carries: ["ciphertext"] });
    expect(carries).toEqual(["ciphertext"]);
  });
});

describe("the table as types", () => {
  it("gives a zone its classes, and a union what all its members have", () => {
    expectTypeOf<MayHold<"edge">>().toEqualTypeOf<"ciphertext" | "metadata" | "credential">();
    expectTypeOf<MayHold<"edge" | "operations">>().toEqualTypeOf<"metadata" | "credential">();
    expectTypeOf<MayHold<Zone>>().toEqualTypeOf<"metadata" | "credential">();
  });

  it("gives two zones what their flow may carry under its protection", () => {
    expectTypeOf<MayCarry<"decryption", "operations">>().toEqualTypeOf<"metadata">();
    expectTypeOf<MayCarry<"edge", "decryption">>().toEqualTypeOf<never>();
    expectTypeOf<MayCarry<"decryption", "decryption", "envelope">>().toEqualTypeOf<"ciphertext" | "metadata">();
    expectTypeOf<MayCarry<Zone, Zone>>().toEqualTypeOf<never>();
  });

  it("keeps the zone of a component", () => {
    expectTypeOf(edge).toEqualTypeOf<ComponentIn<"edge">>();
  });
});
