import { serverName } from "../../model/placement.ts";

/**
 * The certificate that step-ca makes of a token (a Go template that yields JSON): that of a gateway, whatever the request asks
 * for, and only where the token is signed by the service that vouches. The name is checked by the authority's policy afterwards.
 */
export function gatewayTemplate(tenant: string, vouching: string): string {
  return [
    `{{- $peer := .AuthorizationCrt.Subject -}}`,
    `{{- if or (ne $peer.CommonName ${JSON.stringify(vouching)}) (ne (join "," $peer.OrganizationalUnit) "services") -}}`,
    `{{- fail ${JSON.stringify(`only ${vouching} vouches for gateways`)} -}}`,
    `{{- end -}}`,
    `{`,
    `  "subject": {"organization": ${JSON.stringify(tenant)}, "organizationalUnit": "gateways", "commonName": {{ toJson .Subject.CommonName }}},`,
    `  "dnsNames": [{{ toJson (printf "%s.${serverName("gateways", tenant)}" .Subject.CommonName) }}],`,
    `  "keyUsage": ["digitalSignature"],`,
    `  "extKeyUsage": ["clientAuth"]`,
    `}`,
  ].join("\n");
}
