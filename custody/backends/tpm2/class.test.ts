import { describe, expect, it } from "vitest";
import { custodyClassOf } from "./class.ts";

const word = (text: string): string => `0x${Buffer.from(text.padEnd(4, "\0"), "latin1").toString("hex").toUpperCase()}`;

/** As tpm2-tools 5.4 print it. */
function properties(manufacturer: string, vendor = "x"): string {
  return `TPM2_PT_FAMILY_INDICATOR:
  raw: 0x322E3000
  value: "2.0"
TPM2_PT_MANUFACTURER:
  raw: ${word(manufacturer)}
  value: "${manufacturer}"
TPM2_PT_VENDOR_STRING_1:
  raw: ${word(vendor)}
  value: "${vendor}"
TPM2_PT_VENDOR_STRING_2:
  raw: 0x0
  value: ""
`;
}

describe("custodyClassOf", () => {
  it.each([
    ["IBM", "SW  ", "software"],
    ["IBM ", "SW  ", "software"],
    ["SIM0", "", "software"],
    ["SIMU", "xCG ", "software"],
    ["MSFT", "xCG ", "software"],
    ["MSFT", "Micr", "virtual"],
    ["GOOG", "vTPM", "virtual"],
    ["AMZN", "Nitr", "virtual"],
    ["VMW", "VMwa", "virtual"],
    ["IFX", "SLB9", "hardware"],
    ["INTC", "Inte", "hardware"],
    ["CROS", "xCG ", "hardware"],
  ])("takes %s %s for %s", (manufacturer, vendor, expected) => {
    expect(custodyClassOf(properties(manufacturer, vendor))).toBe(expected);
  });

  it.each(["", "ERROR", "TPM2_PT_MANUFACTURER:\n  raw: 0x0\n", properties("IFX").replace("raw: 0x4", "raw: z")])(
    "claims nothing for a TPM that says %j",
    (text) => {
      expect(custodyClassOf(text)).toBe("software");
    },
  );
});
