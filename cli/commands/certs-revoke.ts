import { X509Certificate } from "node:crypto";
import { REASON_CODES, type RevocationReason } from "../../certs/crl/reasons.ts";
import type { LedgerRecord } from "../../certs/ledger/record.ts";
import { normalSerial } from "../../certs/serial.ts";
import { EXIT } from "../../shared/errors.ts";
import type { CertsSite } from "../../stacks/host/certs-site.ts";
import { onlineClasses } from "../../stacks/host/host-pki.ts";
import { tellBackend } from "../../stacks/host/renew.ts";
import { printJson, type Run } from "../command.ts";
import { confirm } from "../confirm.ts";
import { cliErrors } from "../errors.ts";
import { certsSite, changing } from "./certs-context.ts";

/** `certs revoke SERIAL`: takes a certificate back; its issuer's next list has it, and its open sessions end. */
export const run: Run = async (context) => {
  const { io, flags, options, args, paint } = context;
  const serial = normalSerial(args[0] ?? "");
  const reason = reasonOf(options.reason);
  const site = await certsSite(context);
  const issued = site.pki.ledger.find(serial).find(({ kind }) => kind === "issued");
  assertNotInForce(site, serial);
  await confirm(context, questionOf(serial, issued));
  const online =
    issued === undefined || onlineClasses(site.model).some((each) => issued.issuer === `TrustKern ${each}`);
  // An authority that runs keeps its own list: it is asked through the backend.
  if (!online) {
    await changing(context, site, async () => {
      await site.pki.revokeSerial(serial, reason);
      await site.pki.converge();
      site.handOver();
    });
  }
  const operator = await site.operator();
  if (!online) await tellBackend(site, operator);
  const answer = online ? await operator("POST", `/v1/certificates/${serial}/revoke`, { reason }) : {};
  if (flags.json) printJson(io, { schema: "trustkern.certs-revoke/1", serial, reason, ...(answer as object) });
  else io.stdout(`${paint("green", "revoked")} ${issued?.subject ?? ""} ${serial} (${reason})\n`);
  return EXIT.done;
};

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

function questionOf(serial: string, issued: LedgerRecord | undefined): string {
  if (issued === undefined) return `revoke certificate ${serial}, which this host has not issued`;
  const what = `revoke ${issued.subject} (certificate ${serial}, class ${issued.class}, ends ${issued.notAfter}) for good`;
  if (issued.class !== "authority") return what;
  return `${what}: everything that it has issued is refused from then on; \`trustkern certs rotate\` replaces it without that`;
}

function reasonOf(value: string | boolean | undefined): RevocationReason {
  const text = typeof value === "string" ? value : "unspecified";
  const known = (Object.keys(REASON_CODES) as RevocationReason[]).find((each) => each === text);
  if (known !== undefined) return known;
  const accepted = Object.keys(REASON_CODES).join(", ");
  throw cliErrors.error("CLI_USAGE", `--reason is "${text}"; accepted: ${accepted}`, { path: "--reason" });
}
