import { z } from "zod";
import { LEAF_CLASSES } from "../../certs/names.ts";
import { GENERATION_STATES, KEY_ID } from "../../custody/generation.ts";
import { CUSTODY_CLASSES, CUSTODY_KINDS } from "../../model/custody.ts";
import { PROFILE_NAMES } from "../../model/deployment.ts";
import { ZONES } from "../../model/zones.ts";
import { CONDITIONS } from "../../stacks/docker/life/health.ts";
import { code, sha256, time } from "../signed-file/fields.ts";

/** DSSE payload type of a status file. */
export const PAYLOAD_TYPE = "application/vnd.trustkern.status-file+json";

/** Name of its form. Another number is another form. */
export const STATUS_FILE_SCHEMA = "trustkern.status-file/1";

/** Of a deployment, a tenant, a component: there is no free text in a status file, so that nothing can be carried out in one. */
export const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "is not 1 to 63 of a-z, 0-9 and -");

/** Of a program. */
export const version = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+~_-]{0,47}$/, "is no version");

/** 0 to 1 in steps of a hundredth. */
const share = z
  .number()
  .min(0)
  .max(1)
  .refine((value) => value === toShare(value), "is no share in hundredths");

/** States of a certificate, as `trustkern certs list` has them. */
export const CERTIFICATE_STATES = [
  ...["ok", "due", "overdue-20", "overdue-10", "overdue-3"],
  ...["expired", "not-yet-valid", "revoked"],
] as const;

/** What is asked, and may not answer. */
export const ASKED = ["docker", "terraform", "keys", "certificates"] as const;

/** Disks that a status file tells of: that of the state directory, and that of the Docker Engine's data. */
export const DISKS = ["state", "engine"] as const;

const component = z.strictObject({
  name,
  zone: z.enum(ZONES),
  /** `unknown` where the Docker Engine did not answer. */
  condition: z.enum([...CONDITIONS, "unknown"]),
  /** Digest of its image; null where none is locked. Its registry's name stays on the site. */
  image: sha256.nullable(),
  /** Times that Docker started it again. */
  restarts: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Whether anything of its container differs from what was deployed. What that is stays on the site. */
  changed: z.boolean(),
});

const certificate = z.strictObject({
  class: z.enum([...LEAF_CLASSES, "devices", "authority", "foreign"]),
  /** The component that uses it, or which authority it is; never its subject, which may name a person or a device. */
  name,
  notAfter: time,
  lifeLeft: share,
  state: z.enum(CERTIFICATE_STATES),
});

/** What a status file says. */
export const statusFileSchema = z.strictObject({
  schema: z.literal(STATUS_FILE_SCHEMA),
  deployment: name,
  tenant: name,
  profile: z.enum(PROFILE_NAMES),
  engine: z.literal("docker"),
  writtenAt: time,
  /** The key that signs, by the SHA-256 of its SPKI, and where it is. */
  signer: z.strictObject({ fingerprint: sha256, place: z.enum(["host", "age-file", "root-device"]) }),
  versions: z.strictObject({
    toolkit: version,
    node: version,
    terraform: version.nullable(),
    dockerEngine: version.nullable(),
    /** Version of the bundle that is installed; null where the site has none. */
    bundle: z.int().min(1).max(2_147_483_647).nullable(),
    /** SHA-256 of the Terraform JSON, as `trustkern synth` writes it. */
    stack: sha256,
  }),
  components: z.array(component).max(256),
  /** Components that the deployment leaves out on purpose. */
  absent: z.array(name).max(256),
  custody: z.strictObject({
    kind: z.enum(CUSTODY_KINDS),
    /** null while it is sealed or away. */
    custodyClass: z.enum(CUSTODY_CLASSES).nullable(),
    /** null where it did not answer. */
    sealed: z.boolean().nullable(),
  }),
  /** Generations of the decryption key: ids, never keys. */
  keys: z.array(z.strictObject({ keyId: z.string().regex(KEY_ID), state: z.enum(GENERATION_STATES) })).max(4096),
  certificates: z.array(certificate).max(4096),
  disks: z.array(z.strictObject({ what: z.enum(DISKS), freeShare: share.nullable() })).max(DISKS.length),
  unknown: z.array(z.strictObject({ fact: z.enum(ASKED), code })).max(ASKED.length),
});

/** {@link statusFileSchema}. */
export type StatusFile = z.infer<typeof statusFileSchema>;

/** A share in hundredths, rounded down, so that nothing left is never shown as something. */
export function toShare(value: number): number {
  return Math.floor(Math.min(1, Math.max(0, value)) * 100 + 1e-9) / 100;
}
