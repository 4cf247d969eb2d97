import { concernsOf } from "../../operations/status-file/concerns.ts";
import { statusFileErrors, statusFileRefusals } from "../../operations/status-file/errors.ts";
import { type StatusFileReport, verifyStatusFile } from "../../operations/status-file/verify.ts";
import { parseDuration } from "../../shared/durations.ts";
import { EXIT, type ExitCode } from "../../shared/errors.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { askedFor } from "../asked-for.ts";
import { printJson, type Run } from "../command.ts";
import { readInput } from "../files.ts";
import { namedKey } from "../named-key.ts";
import type { Paint } from "../paint.ts";

/** `status verify FILE`: whether a status file is what a site's key signed, and what it says; needs no deployment and no network. */
export const run: Run = async (context) => {
  const { io, flags, options, args, paint } = context;
  const [name = ""] = args;
  const maxAge = options.maxAge;
  const maxAgeSeconds = typeof maxAge === "string" ? parseDuration(maxAge, "--max-age") : undefined;
  const key = await namedKey(context, name, statusFileRefusals);
  if (key === undefined) throw statusFileErrors.error("STATUS_FILE_KEY_NEEDED", "no key is named", { path: "--key" });
  const file = await readInput(io, name);
  const at = io.now();
  const report = verifyStatusFile({ file, key, at, maxAgeSeconds, of: await askedFor(context) });
  const concerns = concernsOf(report.status, at);
  if (flags.json) {
    const { findings, status } = report;
    const ok = findings.length === 0;
    const fingerprint = fingerprintOf(key);
    printJson(io, { schema: "trustkern.status-verify/1", file: name, ok, fingerprint, status, concerns, findings });
  } else io.stdout(textOf(report, concerns, paint));
  return exitOf(report, concerns);
};

function exitOf({ findings }: StatusFileReport, concerns: readonly string[]): ExitCode {
  const exits = findings.map(
    ({ code }) => statusFileErrors.entries[code as keyof typeof statusFileErrors.entries].exit,
  );
  if (exits.includes(EXIT.policy)) return EXIT.policy;
  return exits[0] ?? (concerns.length === 0 ? EXIT.done : EXIT.failed);
}

function textOf({ status, findings }: StatusFileReport, concerns: readonly string[], paint: Paint): string {
  const { versions, components, custody, keys, certificates, disks, signer } = status;
  const width = Math.max(9, ...components.map(({ name }) => name.length));
  const next = certificates.toSorted((a, b) => (a.notAfter < b.notAfter ? -1 : 1))[0];
  const bundle = versions.bundle === null ? "no bundle" : `bundle ${versions.bundle}`;
  const engine = `Docker Engine ${versions.dockerEngine ?? "unknown"}, Terraform or OpenTofu ${versions.terraform ?? "unknown"}`;
  const lines = [
    paint("bold", `${status.deployment} (tenant ${status.tenant}, profile ${status.profile})`),
    `written ${status.writtenAt} and signed by ${signer.fingerprint}, by its own word ${PLACES[signer.place]}`,
    `toolkit ${versions.toolkit}, ${bundle}, Node ${versions.node}, ${engine}`,
    ...components.map(({ name, condition, zone }) => `  ${name.padEnd(width)}  ${condition.padEnd(9)}  ${zone}`),
    `decryption keys: ${custody.kind}, ${custody.custodyClass ?? "class unknown"}; ${countsOf(keys.map(({ state }) => state))}`,
    `certificates: ${countsOf(certificates.map(({ state }) => state))}${next === undefined ? "" : `; the first to end is of ${next.name}, on ${next.notAfter.slice(0, 10)}`}`,
    `disks: ${disks.map(({ what, freeShare }) => `${what} ${freeShare === null ? "unknown" : `${Math.round(freeShare * 100)} % free`}`).join(", ")}`,
    ...concerns.map((each) => paint("yellow", `! ${each}`)),
    ...findings.map(({ code, path, message }) => `${paint("red", code)} ${path} ${message}`),
    sumOf(findings.length, concerns.length, paint),
  ];
  return `${lines.join("\n")}\n`;
}

function sumOf(findings: number, concerns: number, paint: Paint): string {
  if (findings > 0) return paint("red", "do not rely on this file");
  if (concerns > 0) return paint("yellow", "the file is what that key signed, and not all is well");
  return paint("green", "the file is what that key signed, and all was well");
}

function countsOf(states: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts.size === 0 ? "none known" : [...counts].map(([state, many]) => `${many} ${state}`).join(", ");
}

const PLACES = {
  host: "on the site's host",
  "age-file": "in an age file outside of the state directory",
  "root-device": "on the device of the root's key",
} as const;
