import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { MAKER_NAME } from "../../../certs/subject.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";

const DAY_MS = 86_400_000;
const WARN_MS = 30 * DAY_MS;
/** Share of a leaf's life at which its renewal is overdue. */
const OVERDUE = 0.2;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A certificate of the state directory, or a file that holds none. */
export type CertificateFacts =
  | {
      readonly file: string;
      readonly name: string;
      readonly isAuthority: boolean;
      readonly notBefore: Date;
      readonly notAfter: Date;
    }
  | { readonly file: string; readonly error: "unreadable" | "no-certificate" };

const { ok, bad } = findingsOf("certificates");

/** Every certificate of the state directory once, the chains in one file included; no key is read. */
export function gatherCertificates(machine: Machine, stateDir: string): readonly CertificateFacts[] {
  const secrets = machine.listFolder(join(stateDir, "secrets")) ?? [];
  const folders = ["authorities", "authorities/makers", ...secrets.map((component) => join("secrets", component))];
  const files = folders.flatMap((folder) =>
    (machine.listFolder(join(stateDir, folder)) ?? [])
      .filter((name) => name.endsWith(".crt"))
      .map((name) => join(folder, name)),
  );
  const seen = new Set<string>();
  return files.flatMap((file): readonly CertificateFacts[] => {
    const text = machine.readText(join(stateDir, file));
    if (text === undefined) return [{ file, error: "unreadable" }];
    const certificates = parseAll(text);
    if (certificates === undefined) return [{ file, error: "no-certificate" }];
    return certificates.flatMap(({ fingerprint256, subject, ca, validFromDate, validToDate }) => {
      if (seen.has(fingerprint256)) return [];
      seen.add(fingerprint256);
      const name = /CN=(.*)/.exec(subject)?.[1] ?? subject;
      return [{ file, name, isAuthority: ca, notBefore: validFromDate, notAfter: validToDate }];
    });
  });
}

function parseAll(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(PEM_CERTIFICATE) ?? [];
  try {
    return blocks.length === 0 ? undefined : blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

/** Whether every certificate is valid now, and for a while. */
export function judgeCertificates(facts: readonly CertificateFacts[], now: Date): readonly DoctorFinding[] {
  if (facts.length === 0) return [ok("no certificate was issued yet")];
  const findings = facts.flatMap((one) => judgeOne(one, now));
  const ends = facts.flatMap((one) => ("notAfter" in one ? [one.notAfter.getTime()] : []));
  if (findings.length > 0) return findings;
  return [
    ok(
      `${facts.length} certificates are valid; the first to end does so in ${days(Math.min(...ends) - now.getTime())}`,
    ),
  ];
}

function judgeOne(one: CertificateFacts, now: Date): readonly DoctorFinding[] {
  if ("error" in one) {
    if (one.error === "no-certificate") {
      return [bad("problem", "DOCTOR_CERTIFICATE_UNREADABLE", `"${one.file}" holds no certificate`)];
    }
    const message = `"${one.file}" may not be read by this user`;
    return [bad("warning", "DOCTOR_NOT_CHECKED", message, "run `trustkern doctor` as the user who deployed")];
  }
  const { file, name, isAuthority, notBefore, notAfter } = one;
  const fix = isAuthority ? `run \`${rotationOf(name)}\`` : undefined;
  const what = `"${name}" in "${file}"`;
  const left = notAfter.getTime() - now.getTime();
  if (left <= 0) return [bad("problem", "DOCTOR_CERTIFICATE_EXPIRED", `${what} ended ${days(-left)} ago`, fix)];
  if (now < notBefore) {
    return [bad("problem", "DOCTOR_CERTIFICATE_EARLY", `${what} is not valid before ${notBefore.toISOString()}`)];
  }
  const life = notAfter.getTime() - notBefore.getTime();
  if (!isAuthority && left <= life * OVERDUE) {
    const message = `${what} should have been renewed: ${Math.round((100 * left) / life)} % of its life are left, and it ends in ${days(left)}`;
    return [bad("warning", "DOCTOR_RENEWAL_OVERDUE", message)];
  }
  if (left >= Math.min(WARN_MS, life / 3)) return [];
  return [bad("warning", "DOCTOR_CERTIFICATE_ENDING", `${what} ends in ${days(left)}`, fix)];
}

/** The command that replaces an authority. A maker gets another one, under another name. */
function rotationOf(name: string): string {
  if (name.startsWith(MAKER_NAME)) return "trustkern certs maker add";
  const [, leafClass] = /^TrustKern (services|gateways|operators)$/.exec(name) ?? [];
  return `trustkern certs rotate --what ${leafClass === undefined ? "root" : `intermediate:${leafClass}`}`;
}

function days(milliseconds: number): string {
  const whole = Math.floor(milliseconds / DAY_MS);
  return whole > 0 ? `${whole} d` : `${Math.floor(milliseconds / 3_600_000)} h`;
}
