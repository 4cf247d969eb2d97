import { describe, expect, it } from "vitest";
import { gatewayName, hardwareId, serialNumber } from "./arguments.ts";

describe("a serial number", () => {
  it.each([
    ["5e2a", "5e2a"],
    ["05E2A", "5e2a"],
    ["05:e2:0a", "5e20a"],
    ["00", "0"],
  ])("is taken from %j as %j", (text, serial) => expect(serialNumber(text)).toBe(serial));

  it.each(["", ":", "0x5e", "5e 2a", "op-ada", "g1", "5".repeat(43), undefined])("is not %j", (text) =>
    expect(() => serialNumber(text)).toThrow(expect.objectContaining({ code: "CLI_USAGE", path: "serial" })),
  );
});

describe("a gateway's name", () => {
  it("is taken as it is", () => expect(gatewayName("gw-07")).toBe("gw-07"));

  it.each(["", "gw-", "gw-A", "svc-backend", "../makers", `gw-${"a".repeat(61)}`, undefined])("is not %j", (text) =>
    expect(() => gatewayName(text)).toThrow(expect.objectContaining({ code: "CLI_USAGE", path: "gateway" })),
  );
});

describe("a hardware id", () => {
  it("is taken in either case", () => expect(hardwareId("0A1B2C3D")).toBe("0a1b2c3d"));

  it.each(["", "0a1b2c", "0a1b2c3", "gw-01", "0a".repeat(33), undefined])("is not %j", (text) =>
    expect(() => hardwareId(text)).toThrow(expect.objectContaining({ code: "CLI_USAGE", path: "hardware-id" })),
  );
});
