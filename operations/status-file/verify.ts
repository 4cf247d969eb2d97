import type { KeyObject } from "node:crypto";
import { z } from "zod";
import type { Finding } from "../../shared/finding.ts";
import { fingerprintOf } from "../../stacks/host/trust/signing-key.ts";
import { isInFuture, tooOld } from "../signed-file/age.ts";
import { jsonOf, openSigned, parsePayload } from "../signed-file/open.ts";
import { statusFileRefusals as refuse, statusFileErrors } from "./errors.ts";
import { PAYLOAD_TYPE, STATUS_FILE_SCHEMA, type StatusFile, statusFileSchema } from "./schema.ts";

/** Larger files are not read; what the schema allows is smaller. */
export const MAX_STATUS_BYTES = 4 * 1024 * 1024;

/** What a status file is held against. */
export interface StatusFileCheck {
  readonly file: Uint8Array;
  /** The key that is trusted, from elsewhere. */
  readonly key: KeyObject;
  readonly at: Date;
  /** Whose it has to be. @default anybody's */
  readonly of?: { readonly deployment?: string | undefined; readonly tenant?: string | undefined } | undefined;
  /** @default a file of any age is taken */
  readonly maxAgeSeconds?: number | undefined;
}

/** A status file whose signature is good, and what is wrong with it all the same. */
export interface StatusFileReport {
  readonly status: StatusFile;
  readonly findings: readonly Finding[];
}

/**
 * Verifies a status file without a network or a deployment.
 * @throws STATUS_FILE_MALFORMED, STATUS_FILE_BAD_SIGNATURE, STATUS_FILE_OTHER_FORMAT; what is signed and wrong is a finding
 */
export function verifyStatusFile(check: StatusFileCheck): StatusFileReport {
  const status = openStatusFile(check.file, check.key);
  return {
    status,
    findings: [
      ...contradictionsIn(status, check.key).map(([path, message]) =>
        finding("STATUS_FILE_INCONSISTENT", path, message),
      ),
      ...ofOtherFindings(status, check),
      ...ageFindings(status, check),
    ],
  };
}

/**
 * What a status file says, once the one signature on it was found to be that key's.
 * @throws STATUS_FILE_MALFORMED, STATUS_FILE_BAD_SIGNATURE, STATUS_FILE_OTHER_FORMAT
 */
export function openStatusFile(file: Uint8Array, key: KeyObject): StatusFile {
  const payload = openSigned(file, key, { payloadType: PAYLOAD_TYPE, maxBytes: MAX_STATUS_BYTES, refuse });
  const form = named.safeParse(jsonOf(payload, "what is signed", refuse)).data?.schema;
  if (form !== undefined && form !== STATUS_FILE_SCHEMA) {
    const message = `the file is of the form "${form}"; known: ${STATUS_FILE_SCHEMA}`;
    throw statusFileErrors.error("STATUS_FILE_OTHER_FORMAT", message, { path: "schema" });
  }
  return parsePayload(payload, statusFileSchema, "what is signed", refuse);
}

const named = z.object({ schema: z.string().regex(/^trustkern\.status-file\/[0-9]{1,4}$/) });

/** What in a file of this form another thing in it says otherwise. */
function contradictionsIn(status: StatusFile, key: KeyObject): readonly (readonly [path: string, message: string])[] {
  const { signer, components, absent, keys, certificates, disks, unknown, writtenAt } = status;
  const facts = unknown.map(({ fact }) => fact);
  return [
    ...(signer.fingerprint === fingerprintOf(key)
      ? []
      : [["signer.fingerprint", "is not that of the key that signed it"] as const]),
    ...twice([...components.map(({ name }) => name), ...absent]).map(
      (name) => ["components", `has ${name} twice`] as const,
    ),
    ...twice(keys.map(({ keyId }) => keyId)).map((id) => ["keys", `has ${id} twice`] as const),
    ...twice(disks.map(({ what }) => what)).map((what) => ["disks", `has ${what} twice`] as const),
    ...twice(facts).map((fact) => ["unknown", `has ${fact} twice`] as const),
    ...components
      .filter(({ condition }) => (condition === "unknown") !== facts.includes("docker"))
      .map(({ name, condition }) => ["components", `${name} is ${condition}, and unknown says otherwise`] as const),
    ...(facts.includes("keys") && keys.length > 0 ? [["keys", "are listed, and unknown"] as const] : []),
    ...(facts.includes("certificates") && certificates.length > 0
      ? [["certificates", "are listed, and unknown"] as const]
      : []),
    ...certificates
      .filter(({ state, notAfter }) => state !== "revoked" && (state === "expired") !== notAfter < writtenAt)
      .map(({ name, state, notAfter }) => ["certificates", `${name} is ${state}, and ends on ${notAfter}`] as const),
  ];
}

function twice(names: readonly string[]): readonly string[] {
  return names.filter((each, index) => names.indexOf(each) !== index);
}

function ageFindings({ writtenAt }: StatusFile, { at, maxAgeSeconds }: StatusFileCheck): readonly Finding[] {
  if (isInFuture(writtenAt, at)) {
    return [finding("STATUS_FILE_IN_FUTURE", "writtenAt", `is ${writtenAt}, and now is ${at.toISOString()}`)];
  }
  const age = tooOld(writtenAt, at, maxAgeSeconds);
  if (age === undefined) return [];
  return [finding("STATUS_FILE_TOO_OLD", "writtenAt", `is ${writtenAt}, ${age} ago, which is more than was asked for`)];
}

function ofOtherFindings(status: StatusFile, { of }: StatusFileCheck): readonly Finding[] {
  return (["deployment", "tenant"] as const).flatMap((member) => {
    const asked = of?.[member];
    if (asked === undefined || asked === status[member]) return [];
    const message = `is "${status[member]}", and "${asked}" was asked for`;
    return [finding("STATUS_FILE_OTHER_DEPLOYMENT", member, message)];
  });
}

function finding(code: keyof typeof statusFileErrors.entries, path: string, message: string): Finding {
  return { code, path, message, fix: statusFileErrors.entries[code].fix };
}
