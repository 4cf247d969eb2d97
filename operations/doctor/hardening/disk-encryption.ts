import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";
import { nearestExisting } from "../nearest-existing.ts";
import { type Encryption, encryptionOfPath } from "./block-device.ts";

/** A folder with keys or telemetry, and what is below it. */
export interface EncryptionFacts {
  readonly what: string;
  readonly folder: string;
  readonly encryption: Encryption;
}

const { ok, bad } = findingsOf("disk encryption");

/** What lies below the state directory and docker's folder. */
export function gatherEncryption(
  machine: Machine,
  stateDir: string,
  dockerRoot: string | undefined,
): readonly EncryptionFacts[] {
  const look = (what: string, folder: string, path: string) => ({
    what,
    folder,
    encryption: encryptionOfPath(machine, path),
  });
  return [
    look("the state directory", stateDir, nearestExisting(machine, stateDir)),
    ...(dockerRoot === undefined ? [] : [look("docker's images and containers", dockerRoot, dockerRoot)]),
  ];
}

/** Never silent: a provider may encrypt below a virtual disk, which is not to be seen from inside. */
export function judgeEncryption(facts: readonly EncryptionFacts[]): readonly DoctorFinding[] {
  return facts.map(({ what, folder, encryption }) => {
    const subject = `${what}, "${folder}"`;
    if (encryption === "encrypted") return ok(`${subject}, is on dm-crypt`);
    const why = encryption === "unknown" ? "its disk is not to be seen from here" : "there is no dm-crypt below it";
    return bad("warning", "DOCTOR_DISK_UNENCRYPTED", `not proven that ${subject}, is on an encrypted disk: ${why}`);
  });
}
