import { z } from "zod";
import { ENGINES, OPERATORS, PROFILE_NAMES } from "../model/deployment.ts";
import { parseDuration } from "../shared/durations.ts";
import { egressSchema, supportSchema, telemetrySchema } from "./boundary-schema.ts";
import { custodySchema } from "./custody-schema.ts";
import { dockerSchema, imagesSchema, stateSchema } from "./engine-schema.ts";
import { DURATION, DURATION_TEXT, text, whole } from "./fields.ts";
import { kubernetesSchema } from "./kubernetes-schema.ts";
import { pkiSchema } from "./pki-schema.ts";
import { SIZE_PATTERN } from "./size.ts";

const NAME = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/;
const NAME_TEXT = "1 to 32 of a-z 0-9 -, a letter first, no - at the end";
// The aggregates of an hour need some hours of messages to be made of.
const LEAST_TELEMETRY_SECONDS = 86_400;
const SIZE_TEXT = "a whole number with KiB, MiB or GiB, such as 64MiB";

const gatewayName = z
  .string()
  .regex(/^gw-[a-z0-9-]{1,60}$/)
  .refine((name) => name !== "gw-rogue")
  .describe("name of a gateway: gw- and then 1 to 60 of a-z 0-9 -, but not the simulator's gw-rogue");

/** The form of `trustkern.yaml`: strict, every member described, defaults by profile. */
export const deploymentSchema = z
  .strictObject({
    name: text(NAME, `name of the deployment: ${NAME_TEXT}`),
    tenant: text(NAME, `name of the tenant: ${NAME_TEXT}`),
    profile: z.enum(PROFILE_NAMES).describe(`what the deployment may be: ${PROFILE_NAMES.join(", ")}`),
    engine: z
      .enum(ENGINES)
      .describe(`what makes components run: ${ENGINES.join(", ")}`)
      .exactOptional(),
    hosting: z
      .strictObject({
        region: text(
          /^[a-z0-9][a-z0-9-]{0,62}$/,
          "region of the provider, such as eu-central-1, or local",
        ).exactOptional(),
        account: text(
          /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
          "account or project of the provider, or local",
        ).exactOptional(),
        operator: z
          .enum(OPERATORS)
          .describe(`who operates the machines: ${OPERATORS.join(", ")}`)
          .exactOptional(),
      })
      .describe("where ingress, decryption and operations run: a map of region, account, operator")
      .exactOptional(),
    gateways: z
      .array(gatewayName)
      .min(1)
      .max(64)
      .refine((names) => new Set(names).size === names.length)
      .describe("a list of 1 to 64 different gateway names")
      .exactOptional(),
    gatewaysElsewhere: z
      .array(gatewayName)
      .max(1024)
      .refine((names) => new Set(names).size === names.length)
      .describe("a list of up to 1024 different names of gateways on machines of their own")
      .exactOptional(),
    simulator: z
      .strictObject({
        sensors: whole(0, 10_000, "simulated sensors").exactOptional(),
        ratePerSecond: whole(1, 10_000, "messages per second over all simulated sensors").exactOptional(),
      })
      .describe("a map of sensors, ratePerSecond")
      .exactOptional(),
    collector: z
      .strictObject({
        workers: whole(1, 64, "worker threads").exactOptional(),
        batchMaxMessages: whole(1, 10_000, "messages in one batch at most").exactOptional(),
        batchMaxWaitMs: whole(1, 10_000, "milliseconds that a batch waits at most").exactOptional(),
      })
      .describe("a map of workers, batchMaxMessages, batchMaxWaitMs")
      .exactOptional(),
    gateway: z
      .strictObject({ spool: text(SIZE_PATTERN, `spool on a gateway's disk: ${SIZE_TEXT}`).exactOptional() })
      .describe("a map of spool")
      .exactOptional(),
    network: z
      .strictObject({
        name: text(
          /^[\x21-\x7e]{1,16}$/,
          "name of the Thread network: 1 to 16 printable ASCII characters",
        ).exactOptional(),
        channel: whole(11, 26, "IEEE 802.15.4 channel").exactOptional(),
        panId: text(/^[0-9a-f]{4}$/, "PAN id: 4 hex digits in quotes").exactOptional(),
        extPanId: text(/^[0-9a-f]{16}$/, "extended PAN id: 16 hex digits in quotes").exactOptional(),
        meshLocalPrefix: text(
          /^fd[0-9a-f]{2}(:[0-9a-f]{1,4}){3}::\/64$/,
          "mesh-local prefix: an fd00::/8 prefix of 64 bits, such as fd00:7472:7573:746b::/64",
        ).exactOptional(),
      })
      .describe("Thread operational data set: a map of name, channel, panId, extPanId, meshLocalPrefix")
      .exactOptional(),
    ports: z
      .strictObject({
        broker: whole(
          0,
          65_535,
          "port of MQTT over TLS; 0 takes a free one, on the engine docker the usual one",
        ).exactOptional(),
        backend: whole(
          0,
          65_535,
          "port of the backend's HTTPS; 0 takes a free one, on the engine docker the usual one",
        ).exactOptional(),
        database: whole(
          0,
          65_535,
          "port of the database; 0 takes a free one, on the engine docker the usual one",
        ).exactOptional(),
        gateway: whole(
          0,
          65_535,
          "UDP port of the first gateway's CoAP; 0 takes a free one, on the engine docker the usual one",
        ).exactOptional(),
        "gateways-ca": whole(0, 65_535, "port of the online CA for gateways; 0 takes the usual one").exactOptional(),
        "operators-ca": whole(0, 65_535, "port of the online CA for operators; 0 takes the usual one").exactOptional(),
        grafana: whole(0, 65_535, "port of Grafana's HTTPS; 0 takes the usual one").exactOptional(),
        prometheus: whole(
          0,
          65_535,
          "port of Prometheus' HTTPS, with telemetry.vendor metrics; 0 takes the usual one",
        ).exactOptional(),
      })
      .describe("a map of broker, backend, database, gateway, gateways-ca, operators-ca, grafana, prometheus")
      .exactOptional(),
    images: imagesSchema.exactOptional(),
    docker: dockerSchema.exactOptional(),
    kubernetes: kubernetesSchema.exactOptional(),
    state: stateSchema.exactOptional(),
    egress: egressSchema.exactOptional(),
    support: supportSchema.exactOptional(),
    telemetry: telemetrySchema.exactOptional(),
    pki: pkiSchema.exactOptional(),
    custody: custodySchema.exactOptional(),
    retention: z
      .strictObject({
        telemetry: z
          .string()
          .regex(DURATION)
          .refine((value) => !DURATION.test(value) || parseDuration(value) >= LEAST_TELEMETRY_SECONDS)
          .describe(`how long rows are kept: ${DURATION_TEXT}, at least 1d`)
          .exactOptional(),
        raw: text(DURATION, `how long the envelopes' bytes are kept: ${DURATION_TEXT}`).exactOptional(),
        quarantine: text(SIZE_PATTERN, `how much each quarantine keeps: ${SIZE_TEXT}`).exactOptional(),
      })
      .describe("a map of telemetry, raw, quarantine")
      .exactOptional(),
  })
  .describe("a map of name, tenant, profile and options");

/** What a `trustkern.yaml` says, before the defaults of its profile. */
export type DeploymentInput = z.output<typeof deploymentSchema>;

/** A part of the JSON Schema, as far as the error report walks it. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
}

/** JSON Schema (draft 7) of `trustkern.yaml`, for editors and for the error report. */
export function deploymentJsonSchema(): SchemaNode & Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(deploymentSchema, { target: "draft-7", io: "input" });
  return { ...(schema as SchemaNode), $id: "trustkern.deployment/1", title: "TrustKern deployment" };
}
