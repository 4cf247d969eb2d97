import type { Transcript } from "./transcript.ts";

/** A transcript as the ceremony prints it, for people who compare fingerprints aloud and sign a sheet of paper. */
export function renderTranscript(transcript: Transcript): string {
  const { time, tenant, conductor, witnesses, versions, certificates, made, follows } = transcript;
  return [
    `Key ceremony of ${tenant}, ${time}`,
    `conducted by ${conductor}; witnessed by ${witnesses.join(", ") || "nobody"}`,
    `made with ${Object.entries(versions)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([program, version]) => `${program} ${version}`)
      .join(", ")}`,
    ...(made === undefined ? [] : [`keys made: ${made.join(", ")}; the others are taken over as they were`]),
    ...(follows === undefined ? [] : [`follows the transcript ${grouped(follows)}`]),
    ...certificates.flatMap((each) => [
      "",
      `${each.authority}  (${each.subject}, ${each.curve}, until ${each.notAfter})`,
      `  certificate ${grouped(each.sha256)}`,
      `  key         ${grouped(each.spkiSha256)}`,
      `  kept in     ${each.key}`,
      ...(each.namespace === undefined ? [] : [`  may name    the Services of namespace ${each.namespace} too`]),
    ]),
    "",
  ].join("\n");
}

/** Hexadecimal in groups of four, for people who compare it aloud. */
export function grouped(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, "$1 ");
}
