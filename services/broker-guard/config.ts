import { z } from "zod";
import { trustFeedConfig } from "../runtime/broker-trust/feed.ts";
import { brokerConfig, commonConfig, tlsConfig } from "../runtime/config.ts";

const path = z.string().min(1);

/** Configuration of the guard of Mosquitto. */
export const guardConfig = z.strictObject({
  ...commonConfig,
  /** Mosquitto's and our own certificate towards the backend, as the deployment hands them over. */
  tls: tlsConfig,
  /** The first revocation lists, with which the broker starts before it has asked the backend. */
  crlFile: path,
  /** A certificate that is revoked on purpose, and its key. */
  probe: z.strictObject({ certFile: path, keyFile: path }),
  /** How Mosquitto is started. */
  mosquitto: z.strictObject({
    program: path,
    configFile: path,
    /** Whose users are ended where a list revokes a certificate and nobody says whose it is. */
    aclFile: path,
    /** Configuration of the TLS library. */
    opensslFile: path,
  }),
  /** Folder in memory from which Mosquitto reads what was verified: `ca.crt`, `tls.crt`, `tls.key`, `sessions.json`. */
  liveDir: path,
  /** Folder that keeps the lists in force, `crl.pem` and `crl-services.pem`, and the numbers that were seen. */
  stateDir: path,
  /** Where Mosquitto listens. */
  listener: brokerConfig,
  /** Where it listens for services alone, who may connect there more than once. @default nowhere */
  servicesListener: brokerConfig.optional(),
  trust: trustFeedConfig,
  /** Seconds after which a session has to begin anew, whoever it is; an operator's after an hour at the latest. */
  sessionSeconds: z.int().min(1).max(86_400).default(86_400),
  /** Hours left of a list below which it is an alarm. */
  alarmHours: z.int().min(72).max(8760).default(96),
});

/** What {@link guardConfig} parses to. */
export type GuardConfig = Readonly<z.infer<typeof guardConfig>>;
