import type { DataClass, Zone } from "../../model/zones.ts";

/** The data classes that may not leave the boundary. */
export const SECRET_CLASSES: readonly DataClass[] = ["plaintext", "decryption-key"];

/** Of the Okabe-Ito palette, which people with any colour blindness tell apart; every text is dark on white or a tint. */
export const COLOURS = {
  text: "#1a1a1a",
  muted: "#4d4d4d",
  secret: "#b34700",
  ciphertext: "#005b8f",
  metadata: "#5c5c5c",
  byEngine: "#9a9a9a",
  zoneBorder: "#8a8a8a",
} as const;

/** Tint of each zone. */
export const ZONE_FILL: Readonly<Record<Zone, string>> = {
  device: "#f2f9e6",
  edge: "#eaf6fd",
  ingress: "#e8eef8",
  decryption: "#fdf1e6",
  operations: "#f3f3f3",
};

/** Colour of a flow by the most secret class that it carries. */
export function flowColour(carries: readonly DataClass[]): string {
  if (carries.some((carried) => SECRET_CLASSES.includes(carried))) return COLOURS.secret;
  return carries.includes("ciphertext") ? COLOURS.ciphertext : COLOURS.metadata;
}
