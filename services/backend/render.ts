import type { Contact } from "./fleet/contacts.ts";
import type { Gateway } from "./fleet/gateways.ts";
import type { MadeDevice } from "./fleet/made-devices.ts";
import type { Maker } from "./fleet/makers.ts";
import type { CertificateRecord } from "./revocation/certificates.ts";
import type { StoredCrl } from "./revocation/crls.ts";
import type { IssuedToken, TokenRecord } from "./tokens/tokens.ts";

const timeOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** A maker as the routes give it. */
export function renderMaker({ name, publicKey, certificatePem, state, changedAtMs }: Maker): object {
  return { name, public_key: publicKey, certificate_pem: certificatePem, state, changed_at: timeOf(changedAtMs) };
}

/** A made device as the routes give it. */
export function renderMadeDevice(device: MadeDevice): object {
  const { hardwareId, kind, maker, model, publicKey, source, state, changedAtMs } = device;
  const changed_at = timeOf(changedAtMs);
  return { hardware_id: hardwareId, kind, maker, model, public_key: publicKey, source, state, changed_at };
}

/** A gateway as the routes give it. */
export function renderGateway({ name, hardwareId, state, enrolledAtMs, changedAtMs }: Gateway): object {
  const times = { enrolled_at: timeOf(enrolledAtMs), changed_at: timeOf(changedAtMs) };
  return { name, hardware_id: hardwareId, state, ...times };
}

/** What is known of a gateway's use of its certificates and of its trust, as the operators' list has it. */
export function renderContact({ validUntilMs, shown, trust }: Contact): object {
  return {
    valid_until: timeOf(validUntilMs),
    shown: shown && {
      certificate_sha256: shown.certificateSha256,
      authority_sha256: shown.authoritySha256,
      at: timeOf(shown.atMs),
    },
    trust: trust && { anchors: trust.anchors, broker_pins: trust.pins, at: timeOf(trust.atMs) },
  };
}

/** A token as the routes list it. Its secret is not kept. */
export function renderToken(token: TokenRecord): object {
  const { id, gateway, certificateSha256, issuedAtMs, expiresAtMs, revokedAtMs, lastUsedAtMs } = token;
  return {
    id,
    gateway,
    certificate_sha256: certificateSha256,
    issued_at: timeOf(issuedAtMs),
    expires_at: timeOf(expiresAtMs),
    revoked_at: timeOf(revokedAtMs),
    last_used_at: timeOf(lastUsedAtMs),
  };
}

/** A token as it is given once, with its secret. */
export function renderNewToken({ id, token, expiresAtMs }: Pick<IssuedToken, "id" | "token" | "expiresAtMs">): object {
  return { id, token, expires_at: timeOf(expiresAtMs) };
}

/** A certificate as the routes give it. */
export function renderCertificate(record: CertificateRecord): object {
  const { serial, sha256, issuer, leafClass, name, state, reason, verdict } = record;
  const { notBeforeMs, notAfterMs, revokedAtMs } = record;
  const times = {
    not_before: timeOf(notBeforeMs),
    not_after: timeOf(notAfterMs),
    revoked_at: timeOf(revokedAtMs),
  };
  return { serial, sha256, issuer, class: leafClass, name, state, reason, ...times, verdict };
}

/** A revocation list as the routes give it. */
export function renderCrl({ keyId, issuer, number, nextUpdateMs, pem, issuerPem }: StoredCrl): object {
  const next_update = timeOf(nextUpdateMs);
  return { issuer, key_id: keyId, number: String(number), next_update, pem, issuer_pem: issuerPem };
}
