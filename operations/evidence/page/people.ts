import type { Facts } from "../schema/facts-schema.ts";
import { engineWords } from "./engine-words.ts";
import { code, html, type Markup, pairs, table } from "./markup.ts";
import { minute } from "./words.ts";

/** Who can change, read or open what is inside. */
export function peopleSection(facts: Facts): Markup {
  const { administrators, hosting, egress, vendorTelemetry } = facts;
  const { here, reaching } = engineWords(facts);
  const { operator, custodyOwner, grants, escrow, support } = administrators;
  const given =
    support.access === "granted"
      ? `granted to ${support.to ?? "nobody"}, ${support.from ?? ""} to ${support.until ?? ""}: ${support.reason ?? ""}`
      : support.access;
  const hosts = egress.allow.map(({ host, port, protocol, purpose, region }) => [
    `${host}:${port}`,
    protocol,
    purpose,
    region ?? "not said",
  ]);
  return html`<section><h2 id="s-people">Who can administer, and what may leave</h2>
${pairs([
  ["operator of the machines", operator],
  ["region", hosting.region],
  ["account", hosting.account],
  ["owner of the place of the keys", custodyOwner],
  [
    "others who may use that place",
    grants.length === 0 ? "nobody" : grants.map(({ to, operator: of }) => `${to} (${of})`).join(", "),
  ],
  [
    "escrow of the keys",
    escrow === null
      ? "none"
      : `any ${escrow.threshold} of ${escrow.holders.map(({ name, operator: of }) => `${name} (${of})`).join(", ")}`,
  ],
  ["support by the vendor", given],
  ["metrics for the vendor", vendorTelemetry],
  ["egress", egress.mode],
])}${certificateTables(administrators, here)}
${table(`Hosts outside that ${reaching} may reach`, ["host", "protocol", "for", "region"], hosts)}</section>
`;
}

function certificateTables(
  { operatorCertificates, operatorCertificatesOfBackend }: Facts["administrators"],
  here: string,
): Markup {
  const own = operatorCertificates.map(({ subject, serial, notAfter, issuedBy }) => [
    subject,
    code(serial),
    minute(notAfter),
    issuedBy,
  ]);
  const theirs = operatorCertificatesOfBackend?.map(({ subject, serial, notAfter }) => [
    subject,
    code(serial),
    minute(notAfter),
  ]);
  return html`${table(`Operators' certificates that are valid, by the ledger of ${here}`, ["subject", "serial", "until", "issued by"], own)}
${
  theirs === undefined
    ? html`<p class="not-proven">The backend did not say which operators' certificates it has on record.</p>`
    : table("The same by the backend", ["subject", "serial", "until"], theirs)
}`;
}
