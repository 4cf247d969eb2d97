import { readFileSync } from "node:fs";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { runtimeErrors } from "./errors.ts";

/** Addresses to listen on, all with one port; port 0 takes a free one. */
export const listenConfig = z.strictObject({
  hosts: z.tuple([z.string().min(1)], z.string().min(1)),
  port: z.int().min(0).max(65_535),
});

/** What {@link listenConfig} parses to. */
export type ListenConfig = Readonly<z.infer<typeof listenConfig>>;

/** Paths of PEM files: trust anchors, own chain, own key (PKCS#8), and the issuers' revocation lists. */
export const tlsConfig = z.strictObject({
  caFile: z.string().min(1),
  certFile: z.string().min(1),
  keyFile: z.string().min(1),
  /** With it a peer is refused that is on a list, or one of whose issuers has no list that is in force. @default none */
  crlFile: z.string().min(1).optional(),
});

/** Where a service's metrics are read, over HTTPS with client certificates, and by whom. */
const metricsConfig = z.strictObject({
  listen: listenConfig,
  tls: tlsConfig,
  /** Common names of the certificates that may read. */
  clients: z.array(z.string().min(1)).min(1),
});

/** What a `metrics` block parses to. */
export type MetricsConfig = z.infer<typeof metricsConfig>;

/** Members of every service's configuration; spread into its `z.strictObject`. */
export const commonConfig = {
  /** The component's name, such as `collector` or `gw-01`. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "must be 1 to 63 of a-z 0-9 - and begin with a letter"),
  tenant: z.string().min(1).max(63),
  /** Path of the Unix socket that answers `GET /status`. */
  controlSocket: z.string().min(1),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  /** Where metrics are read; none are served without it. */
  metrics: metricsConfig.optional(),
} as const;

/** What {@link commonConfig} parses to. */
export interface CommonConfig {
  readonly name: string;
  readonly tenant: string;
  readonly controlSocket: string;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error";
  readonly metrics?: MetricsConfig | undefined;
}

/** Where the broker is, the name that its certificate must carry, and the keys that it may have. */
export const brokerConfig = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  servername: z.string().min(1),
  /**
   * Path of the broker's pins: SHA-256 of a public key (SubjectPublicKeyInfo) in lower-case hex on each line.
   * @default the name alone is checked
   */
  pinsFile: z.string().min(1).optional(),
});

/**
 * Reads and checks a service's configuration file.
 * @throws SERVICE_CONFIG_UNREADABLE
 * @throws SERVICE_CONFIG_INVALID with all mistakes in one message
 */
export function loadConfig<C>(file: string, schema: z.ZodType<C>): C {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw runtimeErrors.error("SERVICE_CONFIG_UNREADABLE", `cannot read configuration: ${messageOf(cause)}`, {
      path: file,
      cause,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw runtimeErrors.error("SERVICE_CONFIG_INVALID", mistakesOf(parsed.error), { path: file });
}

/** All mistakes that zod found, in one line. */
export function mistakesOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `"${path.join(".") || "."}" ${message}`).join("; ");
}
