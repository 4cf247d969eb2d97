import { describe, expect, it } from "vitest";
import { profileLines } from "./lines.ts";

const at = (said: object, path: string) => profileLines(said).find((line) => line.path === path);

describe("the lines of a deployment", () => {
  it("say what the file says, what is accepted, and why", () => {
    expect(at({ profile: "air-gapped", engine: "embedded" }, "engine")).toMatchObject({
      ...{ topic: "engine", value: "embedded", accepted: "docker, kubernetes", kept: false },
    });
  });

  it("say what the profile says where the file is silent", () => {
    expect(at({ profile: "dev" }, "simulator.sensors")).toMatchObject({ value: "3", kept: true });
    expect(at({ profile: "customer-tenant" }, "hosting.region")).toMatchObject({
      value: "nothing is said",
      kept: false,
    });
  });

  it("are one for each element of a list", () => {
    const custody = { kind: "pkcs11", grants: ["customer", "trustkern"].map((operator) => ({ to: "x", operator })) };
    const said = { profile: "air-gapped", custody };
    expect(at(said, "custody.grants.0.operator")).toMatchObject({ value: "customer", kept: true });
    expect(at(said, "custody.grants.1.operator")).toMatchObject({ value: "trustkern", kept: false });
    expect(at({ profile: "air-gapped" }, "custody.grants.*.operator")).toMatchObject({
      value: "none is listed",
      kept: true,
    });
  });

  it("say where they do not apply", () => {
    expect(at({ profile: "air-gapped", custody: { kind: "pkcs11" } }, "custody.address")).toMatchObject({
      ...{ value: "does not apply: custody.kind is pkcs11", kept: true },
    });
  });

  it.each([undefined, null, 5, "dev", [], {}, { profile: "constructor" }])("are none of %j", (said) => {
    expect(profileLines(said)).toEqual([]);
  });
});
