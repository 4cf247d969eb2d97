import { z } from "zod";
import { brokerConfig, commonConfig, tlsConfig } from "../runtime/config.ts";
import { custodyConfig } from "./kem/access.ts";

const members = z.strictObject({
  ...commonConfig,
  broker: brokerConfig,
  /** The client's certificate towards broker, backend and custody's broker; with revocation lists, none of them may be on one. */
  tls: tlsConfig,
  database: z.strictObject({
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    database: z.string().min(1),
    user: z.string().min(1),
    passwordFile: z.string().min(1),
    /** With it the database's certificate is verified, and a database that offers no TLS is refused; without it there is no TLS. */
    tls: z.strictObject({ caFile: z.string().min(1), servername: z.string().min(1) }).optional(),
  }),
  /** Where custody's broker opens the KEM. */
  custody: custodyConfig,
  backend: z.strictObject({ url: z.url({ protocol: /^https$/ }), servername: z.string().min(1) }),
  /** The backend's public signing key: an uncompressed P-256 point in hex. */
  backendKeyFile: z.string().min(1),
  /** Folder of the allowlist copy. */
  stateDir: z.string().min(1),
  /** Threads that verify, open and parse. */
  workers: z.int().min(1).max(64).default(2),
  /** When a batch is written: at so many messages, or so long after its first. */
  batch: z
    .strictObject({ maxMessages: z.int().min(1).max(10_000), maxWaitMs: z.int().min(0).max(10_000) })
    .default({ maxMessages: 1000, maxWaitMs: 50 }),
  /** Messages of one gateway that may wait here without a verdict; a gateway of ours has 1000 on the way at most. */
  queueMaxPerGateway: z.int().min(1).max(1_000_000).default(4096),
  /** How often the allowlist is fetched; a revocation has to be in force here within 60 s. */
  allowlistSeconds: z.number().min(0.2).max(30).default(2),
  quarantineMaxBytes: z
    .int()
    .min(0)
    .default(64 * 1024 * 1024),
  /** Subscribe as one of several collectors; for brokers that have shared subscriptions. */
  sharedSubscription: z.boolean().default(false),
});

/**
 * Configuration of the collector. Who answers as custody's broker decides verdicts, so over a network its certificate is held
 * against the revocation lists as well.
 */
export const collectorConfig = members.refine(
  ({ custody, tls }) => custody.kind === "unix" || tls.crlFile !== undefined,
  { path: ["tls", "crlFile"], error: "is needed where custody is asked over mutual TLS" },
);

/** What {@link collectorConfig} parses to. */
export type CollectorConfig = z.infer<typeof collectorConfig>;
