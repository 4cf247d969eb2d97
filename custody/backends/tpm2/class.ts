import type { CustodyClass } from "../key-store.ts";

/** Simulators: libtpms and swtpm, and IBM's (`IBM`, "SW   TPM"); the TCG registry's `SIM0` to `SIM7`; ChromiumOS's `SIMU`. */
const SIMULATORS = /^(?:IBM|SIM[0-7U])$/;

/** Of hypervisors: Hyper-V and Azure, Google Cloud, EC2's NitroTPM, VMware. */
const VIRTUAL = /^(?:MSFT|GOOG|AMZN|VMW)$/;

/** Vendor string of the TCG's and Microsoft's reference implementation, which is also a program ("xCG fTPM"). */
const REFERENCE = /^xCG/;

/**
 * What a TPM is, by what it says of itself (TPM 2.0 Library, part 2, TPM_PT_MANUFACTURER and TPM_PT_VENDOR_STRING; TCG
 * Vendor ID Registry; for `AMZN` github.com/smallstep/crypto pull request 292). It is a claim: a simulator can lie, and
 * only an endorsement certificate could prove it. Who says nothing is `software`.
 * @param properties output of `tpm2_getcap properties-fixed`
 */
export function custodyClassOf(properties: string): CustodyClass {
  const manufacturer = asciiOf(properties, "MANUFACTURER");
  if (manufacturer === "" || SIMULATORS.test(manufacturer)) return "software";
  if (!VIRTUAL.test(manufacturer)) return "hardware";
  return REFERENCE.test(asciiOf(properties, "VENDOR_STRING_1")) ? "software" : "virtual";
}

/** The four characters of a property, without padding. */
function asciiOf(properties: string, name: string): string {
  const raw = new RegExp(`^TPM2_PT_${name}:\\s+raw: 0x([0-9A-F]{8})$`, "im").exec(properties)?.[1] ?? "";
  return Buffer.from(raw, "hex")
    .toString("latin1")
    .replace(/[\0 ]+$/, "");
}
