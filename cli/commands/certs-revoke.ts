import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { REASON_CODES, type RevocationReason } from "../../certs/crl/reasons.ts";
import type { LedgerRecord } from "../../certs/ledger/record.ts";
import { normalSerial } from "../../certs/serial.ts";
import { EXIT, messageOf } from "../../shared/errors.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import { hostErrors } from "../../stacks/host/errors.ts";
import { onlineClasses } from "../../stacks/host/host-pki.ts";
import { tellBackend } from "../../stacks/host/renew.ts";
import { serialNumber } from "../arguments.ts";
import { type CommandContext, printJson, type Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { cliErrors } from "../errors.ts";
import { certsSite, changing } from "./certs-context.ts";

/**
 * `certs revoke SERIAL`: takes a certificate back; its issuer's next list has it, and its open sessions end. What was revoked before keeps
 * its reason, and is published again.
 */
export const run: Run = async (context) => {
  const { io, flags, options, args, paint } = context;
  const serial = serialNumber(args[0]);
  const asked = reasonOf(options.reason);
  const site = await certsSite(context);
  const records = site.pki.ledger.find(serial);
  const issued = records.find(({ kind }) => kind === "issued");
  const before = records.find(({ kind }) => kind === "revoked");
  const used = usedBy(site, serial);
  assertNotInForce(site, serial);
  if (before === undefined) await confirm(context, questionOf(serial, issued, used));
  const online =
    issued === undefined || onlineClasses(site.model).some((each) => issued.issuer === `TrustKern ${each}`);
  // An authority that runs keeps its own list: it is asked through the backend.
  const said = online
    ? answer.parse(await (await site.operator())("POST", `/v1/certificates/${serial}/revoke`, { reason: asked }))
    : await revokeHere(context, site, serial, asked);
  const reason = before?.reason ?? said.reason ?? asked;
  const document = { serial, reason, already: before !== undefined, usedBy: used };
  if (flags.json) printJson(io, { schema: "trustkern.certs-revoke/1", ...said, ...document });
  else {
    const verb = before === undefined ? paint("green", "revoked") : `was revoked already, at ${before.at}:`;
    io.stdout(`${verb} ${issued?.subject ?? ""} ${serial} (${reason})\n${hintFor(used)}`);
  }
  return EXIT.done;
};

const answer = z.looseObject({ reason: z.string().nullish() });

/** @throws SERVICE_FAILED where the backend has not heard of it: on this host it is revoked then */
async function revokeHere(
  context: CommandContext,
  site: CertsSite,
  serial: string,
  reason: RevocationReason,
): Promise<z.infer<typeof answer>> {
  await changing(context, site, async () => {
    await site.pki.revokeSerial(serial, reason);
    await site.pki.converge();
    await site.handOver();
  });
  try {
    await tellBackend(site, await site.operator());
    return {};
  } catch (cause) {
    const message = `${serial} is revoked in the ledger and in its issuer's list, and the backend has not heard of it: ${messageOf(cause)}`;
    throw hostErrors.error("SERVICE_FAILED", message, {
      path: "backend",
      fix: "bring the backend up with `trustkern up` or `trustkern deploy`, then `trustkern certs crl --publish`: until then the broker accepts it",
      cause,
    });
  }
}

/** Components of this host that show it now. */
function usedBy({ model, pki }: CertsSite, serial: string): readonly string[] {
  const shows = (file: string): boolean =>
    normalSerial(new X509Certificate(readFileSync(file)).serialNumber) === serial;
  return model.components.map(({ name }) => name).filter((name) => pki.leafFiles(name).some(shows));
}

/** No renewal replaces it: its life is not over. */
function hintFor(used: readonly string[]): string {
  return used.map((name) => `${name} shows it still: trustkern certs rotate --what leaf:${name}\n`).join("");
}

/** Authorities that commands and components of this deployment cannot do without, not even to replace them. */
const NEEDED = ["root", "services", "operators"] as const;

function assertNotInForce({ pki }: CertsSite, serial: string): void {
  const serialOf = (name: string): string => {
    const pem = pki.store.read(name);
    return pem === undefined ? "" : normalSerial(new X509Certificate(pem).serialNumber);
  };
  const name = NEEDED.find((each) => serialOf(each) === serial);
  if (name === undefined) return;
  const what = name === "root" ? name : `intermediate:${name}`;
  throw cliErrors.error("CERT_IN_FORCE", `certificate ${serial} is the authority "${name}" that is in force`, {
    path: serial,
    fix: `replace it with \`trustkern certs rotate --what ${what}\`, which revokes this one at its end`,
  });
}

function questionOf(serial: string, issued: LedgerRecord | undefined, used: readonly string[]): string {
  if (issued === undefined) return `revoke certificate ${serial}, which this host has not issued`;
  const what = `revoke ${issued.subject} (certificate ${serial}, class ${issued.class}, ends ${issued.notAfter}) for good`;
  if (issued.class !== "authority")
    return used.length === 0 ? what : `${what}: ${used.join(", ")} is refused until its leaf is rotated`;
  return `${what}: everything that it has issued is refused from then on; \`trustkern certs rotate\` replaces it without that`;
}

function reasonOf(value: string | boolean | undefined): RevocationReason {
  const text = typeof value === "string" ? value : "unspecified";
  const known = (Object.keys(REASON_CODES) as RevocationReason[]).find((each) => each === text);
  if (known !== undefined) return known;
  const accepted = Object.keys(REASON_CODES).join(", ");
  throw cliErrors.error("CLI_USAGE", `--reason is "${text}"; accepted: ${accepted}`, { path: "--reason" });
}
