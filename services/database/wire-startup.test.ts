import { describe, expect, it } from "vitest";
import { FrameError } from "./wire-frames.ts";
import { parseStartup } from "./wire-startup.ts";

function packet(version: number, body: string, length = body.length + 8): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(length, 0);
  head.writeUInt32BE(version, 4);
  return Buffer.concat([head, Buffer.from(body)]);
}
const V3 = 196_608;

describe("a startup packet", () => {
  it("gives its parameters and what follows it", () => {
    const bytes = Buffer.concat([packet(V3, "user\0reader\0database\0trustkern\0\0"), Buffer.from("rest")]);
    const parsed = parseStartup(bytes);
    expect(parsed?.startup).toEqual({
      kind: "startup",
      parameters: new Map([
        ["user", "reader"],
        ["database", "trustkern"],
      ]),
    });
    expect(parsed?.rest.toString()).toBe("rest");
  });

  it("is waited for until it is complete", () => {
    const bytes = packet(V3, "user\0reader\0\0");
    for (let length = 0; length < bytes.length; length += 1) expect(parseStartup(bytes.subarray(0, length))).toBeNull();
  });

  it("may ask for encryption or for a cancel instead", () => {
    expect(parseStartup(packet(80_877_103, ""))?.startup.kind).toBe("tls");
    expect(parseStartup(packet(80_877_104, ""))?.startup.kind).toBe("gss");
    expect(parseStartup(packet(80_877_102, "12345678"))?.startup.kind).toBe("cancel");
  });

  it.each([
    ["a length of nothing", packet(V3, "", 0)],
    ["a length over Postgres' limit", packet(V3, "", 10_001)],
    ["another protocol", packet(131_072, "")],
    ["a name without a value", packet(V3, "user\0\0")],
    ["no terminator", packet(V3, "user\0reader")],
    ["bytes behind the terminator", packet(V3, "user\0reader\0\0x\0")],
  ])("is refused for %s", (_, bytes) => {
    expect(() => parseStartup(bytes)).toThrow(FrameError);
  });
});
