import { tmpdir } from "node:os";
import { envelopeErrors } from "../../operations/envelope/errors.ts";
import { type EnvelopeProof, type MessageKey, proveEnvelope } from "../../operations/envelope/prove.ts";
import { EXIT } from "../../shared/errors.ts";
import { attachEmbedded } from "../../stacks/embedded/attach.ts";
import { printJson, type Run } from "../command.ts";
import { embeddedTarget } from "../embedded-target.ts";
import type { Io } from "../io.ts";
import type { Paint } from "../paint.ts";

/** `envelope prove SENSOR BOOT SEQ`: exit code 0 when every check of the stored bytes holds. */
export const run: Run = async (context) => {
  const { io, flags, args, paint } = context;
  const key = messageKey(args);
  const { deployment, dir } = await embeddedTarget(context);
  const proof = await proveEnvelope(attachEmbedded(deployment, dir, tmpdir()), key);
  if (flags.json) printJson(io, proof);
  else printProof(io, paint, proof);
  return Object.values(proof.checks).every(Boolean) ? EXIT.done : EXIT.failed;
};

function messageKey([sensor = "", boot = "", seq = ""]: readonly string[]): MessageKey {
  const sensorId = sensor.toLowerCase();
  if (!/^[0-9a-f]{18}$/.test(sensorId)) throw invalid("SENSOR", sensor, "18 hex digits");
  return { sensorId, bootId: counter("BOOT", boot), seq: counter("SEQ", seq) };
}

function counter(name: string, text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw invalid(name, text, "a whole number below 2^32");
}

function invalid(name: string, value: string, accepted: string): Error {
  return envelopeErrors.error("ENVELOPE_KEY_INVALID", `${name} is "${value}"; accepted: ${accepted}`, { path: name });
}

function printProof(io: Io, paint: Paint, proof: EnvelopeProof): void {
  const held = (ok: boolean): string => (ok ? paint("green", "holds") : paint("red", "does NOT hold"));
  const { signature, allowlist, key, checks } = proof;
  const lines = [
    ["message", `${proof.sensor_id} boot ${proof.boot_id} seq ${proof.seq}`],
    ["received", `${proof.received_at} through ${proof.gateway}`],
    ["envelope", proof.envelope],
    ["SHA-256", `${proof.digest} ${held(checks.digest)}`],
    ["fields", `the bytes name this message and this key: ${held(checks.fields)}`],
    ["signature", `${signature.value} ${held(checks.signature)}`],
    ["public key", signature.public_key ?? "not on the collector's allowlist any more"],
    [
      "allowlist",
      `version ${allowlist.accepted_version} when accepted, checked with version ${allowlist.checked_version}`,
    ],
    ["key", `generation ${key.key_id}, ${key.state ?? "which custody no longer lists"}`],
  ] as const;
  for (const [name, text] of lines) io.stdout(`${paint("bold", name.padEnd(11))}${text}\n`);
}
