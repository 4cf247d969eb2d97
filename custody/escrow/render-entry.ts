import { grouped } from "../../certs/ceremony/render-transcript.ts";
import { keyIdOf } from "../../protocol/hpke.ts";
import { type CeremonyAct, type CeremonyEntry, sha256 } from "./transcript.ts";

const WORDS: Readonly<Record<CeremonyAct, string>> = {
  made: "generation made",
  rehearsed: "restored and proved in a rehearsal",
  reshared: "shares dealt anew",
  restored: "restored into a package",
};

/**
 * A line of a transcript as the ceremony prints it, for people who compare it aloud and sign a sheet of paper.
 * @param ceremonyKey SubjectPublicKeyInfo, base64: its fingerprint on paper is what later transcripts are believed by
 */
export function renderEntry(entry: CeremonyEntry, ceremonyKey: string): string {
  const { act, time, tenant, conductor, witnesses, versions, holders, threshold, used, follows } = entry;
  return [
    `Key ceremony of ${tenant}, ${time}: ${WORDS[act]}`,
    `conducted by ${conductor}; witnessed by ${witnesses.join(", ") || "nobody"}`,
    `made with ${Object.entries(versions)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([program, version]) => `${program} ${version}`)
      .join(", ")}`,
    ...(follows === undefined ? [] : [`follows the line ${grouped(follows)}`]),
    "",
    `generation    ${grouped(entry.keyId)}`,
    `  public key  ${grouped(entry.publicKey)}`,
    `ceremony key  ${grouped(sha256(Buffer.from(ceremonyKey, "base64")))}`,
    ...packageLines(entry),
    `escrow        ${threshold} of ${holders.length} shares, set ${grouped(entry.setId)}`,
    `  file        ${grouped(entry.escrowSha256)}`,
    ...(entry.replaces === undefined ? [] : [`  replaces    set ${grouped(entry.replaces)}`]),
    ...(used === undefined ? [] : [`  brought     shares ${used.join(", ")}`]),
    ...holders.map(
      (each, at) =>
        `  share ${at + 1}     ${each.name} (${each.operator})${each.recipient ? ` ${each.recipient}` : ""}`,
    ),
    "",
  ].join("\n");
}

function packageLines({ package: made }: CeremonyEntry): readonly string[] {
  if (made === undefined) return [];
  const importKeyId = keyIdOf(Buffer.from(made.importKey, "hex")).toString("hex");
  return [`package       ${grouped(made.sha256)}`, `  import key  ${grouped(importKeyId)}`];
}
