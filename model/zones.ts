/** Where a component stands. `device` and `edge` are outside the hosting; the boundary lies inside `decryption`. */
export const ZONES = ["device", "edge", "ingress", "decryption", "operations"] as const;

/** One of {@link ZONES}. */
export type Zone = (typeof ZONES)[number];

/** What data can be, from the point of view of who may see it. */
export const DATA_CLASSES = [
  "ciphertext",
  "plaintext",
  "decryption-key",
  "signing-key",
  "metadata",
  "credential",
] as const;

/** One of {@link DATA_CLASSES}. */
export type DataClass = (typeof DATA_CLASSES)[number];

/**
 * How a flow is protected: `mtls`, `tls`, `unix` (a socket file of mode 0600), `loopback` (one machine, with
 * authentication), `envelope` (CoAP: nothing but ciphertext and metadata).
 */
export const PROTECTIONS = ["mtls", "tls", "unix", "loopback", "envelope"] as const;

/** One of {@link PROTECTIONS}. */
export type Protection = (typeof PROTECTIONS)[number];
