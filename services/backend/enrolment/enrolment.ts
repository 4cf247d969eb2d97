import { createHash, randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { parseCsr } from "../../../certs/csr.ts";
import { denial, denialReason } from "../../../certs/denial.ts";
import type { OnlineClass } from "../../../certs/step-ca/names.ts";
import { messageOf } from "../../../shared/errors.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import type { SecurityEvents } from "../../runtime/security-events.ts";
import { isRevokedGateway } from "../fleet/standing.ts";
import type { Journal, Serially } from "../journal.ts";
import { transaction } from "../registry/database.ts";
import { expectCertificate } from "../revocation/certificates.ts";
import type { SigningKey } from "../trust/keys.ts";
import {
  type Admission,
  type DecisionOptions,
  decideGateway,
  decideOperator,
  type EnrolmentRequest,
} from "./decide.ts";
import type { WebhookBody } from "./requests.ts";

/** Milliseconds by which an issuer's clock and ours may differ. */
const MAX_SKEW_MS = 300_000;

/** Milliseconds for which an answer is remembered: an issuer asks again within seconds when it got none. */
const ANSWER_MEMORY_MS = 2 * MAX_SKEW_MS;

/** Milliseconds within which the same refusal of the same key is journalled once. */
const REFUSAL_WINDOW_MS = 60_000;

/** Longest life of a certificate of each class in milliseconds; the issuer may give less. */
const LIFETIME_MS = { gateways: 90 * 86_400_000, operators: 3_600_000 } as const satisfies Record<OnlineClass, number>;

/** What an issuer is answered. */
export type EnrolmentAnswer =
  | {
      readonly allow: true;
      readonly data: { readonly serial: string; readonly name: string; readonly verdict: string };
    }
  | { readonly allow: false; readonly error: { readonly code: string; readonly message: string } };

/** Answers issuers that ask whether to sign. */
export type Enrolment = (leafClass: OnlineClass, body: WebhookBody) => Promise<EnrolmentAnswer>;

/** What {@link createEnrolment} works with. */
export interface EnrolmentOptions extends DecisionOptions {
  readonly db: DatabaseSync;
  readonly key: Pick<SigningKey, "jws">;
  readonly journal: Journal;
  readonly serially: Serially;
  readonly events: Pick<SecurityEvents, "emit">;
  readonly now: () => number;
}

/** Enrolment on the registry's database. Whatever is allowed is in journal and registry before the issuer is told so. */
export function createEnrolment(options: EnrolmentOptions): Enrolment {
  const { db, serially, now } = options;
  const refused = new Map<string, number>();
  return (leafClass, body) =>
    serially(async () => {
      const digest = createHash("sha256").update(stableJson({ leafClass, body })).digest("hex");
      const given = db.prepare("SELECT answer FROM webhook_request WHERE digest = ?").get(digest)?.answer;
      if (given !== undefined) return JSON.parse(String(given)) as EnrolmentAnswer;
      try {
        assertFresh(body, now());
        const request = await readRequest(body);
        const admission = (leafClass === "gateways" ? decideGateway : decideOperator)(options, request);
        return await allow(options, admission, request.provisioner, digest);
      } catch (thrown) {
        const code = denialReason(thrown);
        if (code === undefined) throw thrown;
        await refuse(options, { leafClass, body, code, refused });
        return { allow: false, error: { code, message: messageOf(thrown) } };
      }
    });
}

function assertFresh({ timestamp }: WebhookBody, nowMs: number): void {
  const skewMs = Math.abs(Date.parse(timestamp) - nowMs);
  if (skewMs > MAX_SKEW_MS)
    throw denial(
      "clock-skew",
      `the issuer's clock differs by ${Math.round(skewMs / 1000)} s, accepted: ${MAX_SKEW_MS / 1000} s`,
    );
}

async function readRequest(body: WebhookBody): Promise<EnrolmentRequest> {
  const csrDer = Buffer.from(body.x509CertificateRequest.raw, "base64");
  const { x5cCertificate } = body;
  return {
    provisioner: body.provisionerName,
    csr: await parseCsr(new Uint8Array(csrDer)),
    csrDer,
    deviceDer: x5cCertificate === undefined ? undefined : Buffer.from(x5cCertificate.raw, "base64"),
  };
}

async function allow(
  { db, tenant, key, journal, events, now }: EnrolmentOptions,
  { leafClass, name, publicKey, device }: Admission,
  provisioner: string,
  digest: string,
): Promise<EnrolmentAnswer> {
  const nowMs = now();
  const serial = newSerial();
  const notAfterMs = nowMs + LIFETIME_MS[leafClass];
  const issuer = `TrustKern ${leafClass}`;
  const verdict = await key.jws("enrolment-verdict", name, {
    schema: "trustkern.enrolment-verdict/1",
    allow: true,
    at: new Date(nowMs).toISOString(),
    tenant,
    class: leafClass,
    name,
    serial,
    public_key: publicKey,
    provisioner,
    hardware_id: device?.hardwareId ?? null,
    maker: device?.maker ?? null,
    model: device?.model ?? null,
  });
  const notAfter = new Date(notAfterMs).toISOString();
  const reason = device ? `root of trust of ${device.hardwareId}` : provisioner;
  await journal.append({
    kind: "issued",
    serial,
    issuer,
    subject: name,
    class: leafClass,
    notAfter,
    sha256: "",
    actor: provisioner,
    reason,
    verdict,
  });
  const answer: EnrolmentAnswer = { allow: true, data: { serial, name, verdict } };
  transaction(db, () => {
    // Decided some time ago: what was revoked meanwhile gets nothing.
    if (leafClass === "gateways" && isRevokedGateway(db, name))
      throw denial("revoked-device", `gateway ${name} is revoked`);
    expectCertificate(db, { serial, issuer, leafClass, name, publicKey, notAfterMs, verdict }, nowMs);
    db.prepare("UPDATE gateway SET enrolled_at = ? WHERE name = ?").run(nowMs, name);
    db.prepare("DELETE FROM webhook_request WHERE at < ?").run(nowMs - ANSWER_MEMORY_MS);
    db.prepare("INSERT INTO webhook_request VALUES (?, ?, ?)").run(digest, JSON.stringify(answer), nowMs);
  });
  events.emit({ kind: "ENROLLED", actor: name, object: serial, reason });
  return answer;
}

interface Refusal {
  readonly leafClass: OnlineClass;
  readonly body: WebhookBody;
  readonly code: string;
  readonly refused: Map<string, number>;
}

/** Each refusal is an event; alike ones are journalled once in a while, so that nobody can fill the disk. */
async function refuse({ journal, events, now }: EnrolmentOptions, { leafClass, body, code, refused }: Refusal) {
  const object = createHash("sha256").update(body.x509CertificateRequest.raw).digest("hex").slice(0, 32);
  const actor = `${leafClass}-ca/${body.provisionerName}`;
  events.emit({ kind: "ENROLMENT_REFUSED", actor, object, reason: code });
  const who = body.x5cCertificate?.raw ?? object;
  const alike = `${actor} ${code} ${createHash("sha256").update(who).digest("hex")}`;
  for (const [each, at] of refused) if (at <= now() - REFUSAL_WINDOW_MS) refused.delete(each);
  if (refused.has(alike)) return;
  refused.set(alike, now());
  await journal.append({
    kind: "refused",
    serial: "",
    issuer: `TrustKern ${leafClass}`,
    subject: object,
    class: leafClass,
    notAfter: "",
    sha256: "",
    actor,
    reason: code,
  });
}

/** 128 random bits, as lower-case hex of 16 bytes whose first is neither zero nor has its first bit set. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}
