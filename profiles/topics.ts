/** What the lines of a profile are about, in the order in which they are read. */
export const TOPICS = [
  "operator",
  "hosting",
  "region",
  "custody",
  "egress",
  "encryption",
  "images",
  "support",
  "telemetry",
  "state",
  "retention",
  "components",
  "engine",
  "pki",
  "simulator",
] as const;

/** One of {@link TOPICS}. */
export type Topic = (typeof TOPICS)[number];
