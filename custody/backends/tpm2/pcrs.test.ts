import { describe, expect, it } from "vitest";
import { parsePcrs } from "./pcrs.ts";

describe("parsePcrs", () => {
  it.each([
    ["sha256:0,2,4,7", "sha256:0,2,4,7", 128],
    ["sha256:7,11,0,7", "sha256:0,7,11", 96],
    ["sha384:23", "sha384:23", 48],
  ])("takes %s", (text, canonical, bytes) => {
    expect(parsePcrs(text)).toEqual({ text: canonical, bytes });
  });

  it.each([
    ["", "no bank"],
    ["sha256", "no registers"],
    ["sha256:", "none"],
    ["sha1:0", "a broken hash"],
    ["sha256:24", "a register that no PC has"],
    ["sha256:0,,1", "an empty one"],
    ["sha256:00", "a leading zero"],
    ["sha256:0+sha384:0", "two banks"],
    ["sha256:0,2\n", "a line's end"],
    ["sha256:0 -o /etc/passwd", "another argument"],
    ["sha256:all", "a word"],
  ])("refuses %j: %s", (text) => {
    expect(() => parsePcrs(text)).toThrow(expect.objectContaining({ code: "CUSTODY_PCRS_SELECTION", exit: 2 }));
  });
});
