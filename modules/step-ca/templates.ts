import { classDomain, NAME_PREFIX, type OnlineClass } from "../../certs/names.ts";
import { crlUrl } from "../../certs/step-ca/names.ts";

/** Name of the webhook, by which the template finds its answer. */
export const WEBHOOK = "enrolment";

/**
 * The certificate that step-ca makes (a Go template that yields JSON): of the name and the serial number that the backend's
 * enrolment answered with, whatever else the request asks for, and for a P-256 key alone. A request for another name than the
 * one that the backend gave is refused, so that nobody is surprised by what was issued.
 */
export function leafTemplate(leafClass: OnlineClass, tenant: string): string {
  const unless = (condition: string, message: string): string =>
    `{{- if not (${condition}) -}}{{- fail ${JSON.stringify(message)} -}}{{- end -}}`;
  return [
    `{{- $given := .Webhooks.${WEBHOOK} -}}`,
    `{{- $name := toString $given.name -}}`,
    `{{- $serial := toString $given.serial -}}`,
    unless(`regexMatch "^${NAME_PREFIX[leafClass]}[a-z0-9-]{1,60}$" $name`, "the enrolment gave no name (webhook)"),
    unless(`regexMatch "^[0-9a-f]{16,40}$" $serial`, "the enrolment gave no serial number (webhook)"),
    unless("eq $name .Subject.CommonName", "the name belongs to somebody else (foreign-name)"),
    unless(`typeIs "*ecdsa.PublicKey" .Insecure.CR.PublicKey`, "the key is not on P-256 (weak-key)"),
    unless(`eq .Insecure.CR.PublicKey.Curve.Params.Name "P-256"`, "the key is not on P-256 (weak-key)"),
    `{`,
    `  "serialNumber": {{ toJson (printf "0x%s" $serial) }},`,
    `  "subject": {"organization": ${JSON.stringify(tenant)}, "organizationalUnit": "${leafClass}", "commonName": {{ toJson $name }}},`,
    `  "dnsNames": [{{ toJson (printf "%s.${classDomain(leafClass, tenant)}" $name) }}],`,
    `  "keyUsage": ["digitalSignature"],`,
    `  "extKeyUsage": ["clientAuth"],`,
    `  "crlDistributionPoints": [${JSON.stringify(crlUrl(leafClass, tenant))}]`,
    `}`,
  ].join("\n");
}

/** The template of a provisioner that revokes and never signs. */
export const REVOKES_ONLY = `{{- fail "this key revokes, and vouches for nobody (wrong-usage)" -}}`;
