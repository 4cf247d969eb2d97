import { z } from "zod";
import {
  EGRESS_MODES,
  EGRESS_PURPOSES,
  IMAGE_SOURCES,
  OPERATORS,
  VENDOR_TELEMETRY,
} from "../../../model/deployment.ts";
import { code, sha256, text, time, word } from "../../signed-file/fields.ts";

const serial = z.string().regex(/^[0-9a-f]+$/);

const line = z.strictObject({
  topic: word,
  path: word,
  accepted: text,
  reason: text,
  value: text,
  kept: z.boolean(),
});

/** A line that no file can keep, and the check or command that holds it. */
const assurance = z.strictObject({ topic: word, heldBy: word, accepted: text, reason: text });

const image = z.strictObject({
  name: word,
  reference: word,
  /** Of the manifest, or of the image where it is built on the host; null where no lock names it. */
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .nullable(),
});

const generation = z.strictObject({
  keyId: word,
  state: word,
  origin: word,
  createdAt: text,
  activatedAt: text.nullable(),
  retiredAt: text.nullable(),
  destroyedAt: text.nullable(),
  compromised: z.boolean(),
});

/** The keys that open telemetry, by their ids; no key, public ones included. */
const keys = z.strictObject({
  kind: word,
  /** What custody says of the place of its keys; null while it is sealed or away. */
  custodyClass: word.nullable(),
  leastClass: word,
  owner: word,
  /** Why software is accepted, in the operator's words. */
  acceptSoftware: word.nullable(),
  /** null where custody did not answer. */
  sealed: z.boolean().nullable(),
  /** Whether custody held the list against its log and its store. */
  verified: z.boolean(),
  generations: z.array(generation),
});

const certificate = z.strictObject({
  class: word,
  subject: word,
  issuer: word,
  serial,
  sha256,
  notBefore: time,
  notAfter: time,
  state: word,
  usedBy: z.array(word),
});

const held = z.strictObject({ subject: word, issuer: word, serial, notAfter: time, issuedBy: word });

const support = z.strictObject({
  access: word,
  to: word.nullable(),
  from: text.nullable(),
  until: text.nullable(),
  reason: text.nullable(),
});

/** Who can change, read or open what is inside. */
const administrators = z.strictObject({
  operator: z.enum(OPERATORS),
  custodyOwner: word,
  grants: z.array(z.strictObject({ to: word, operator: word })),
  escrow: z
    .strictObject({ threshold: z.int(), holders: z.array(z.strictObject({ name: word, operator: word })) })
    .nullable(),
  support,
  /** Certificates of class operators that this host's ledger has as issued, valid and not revoked. */
  operatorCertificates: z.array(held),
  /** The same by the backend's own word; null where it did not answer. */
  operatorCertificatesOfBackend: z.array(held.omit({ issuedBy: true })).nullable(),
});

/** A fact that could not be had, and the code of the error that says why. */
const unknownFact = z.strictObject({ fact: z.enum(["keys", "fleet", "terraform", "docker"]), code });

/** What is known of a deployment besides the checks: no secret, and no key. */
export const factsSchema = z.strictObject({
  hosting: z.strictObject({ region: word, account: word, operator: z.enum(OPERATORS) }),
  versions: z.strictObject({
    toolkit: word,
    node: word,
    terraform: word.nullable(),
    dockerEngine: word.nullable(),
  }),
  imageSource: z.enum(IMAGE_SOURCES),
  mirror: word.nullable(),
  /** SHA-256 of the SPKI of the key that images have to be signed with; null where none is asked for. */
  imageSigner: sha256.nullable(),
  images: z.array(image),
  /** SHA-256 of the Terraform JSON, as `trustkern synth` writes it. */
  stack: sha256,
  /** SHA-256 of the picture of zones and flows, as `trustkern diagram --format svg` gives it. */
  diagram: sha256,
  profileLines: z.array(line),
  profileAssurances: z.array(assurance),
  keys,
  certificates: z.array(certificate),
  administrators,
  egress: z.strictObject({
    mode: z.enum(EGRESS_MODES),
    allow: z.array(
      z.strictObject({
        host: word,
        port: z.int(),
        protocol: z.enum(["tcp", "udp"]),
        purpose: z.enum(EGRESS_PURPOSES),
        region: word.nullable(),
      }),
    ),
  }),
  vendorTelemetry: z.enum(VENDOR_TELEMETRY),
  unknown: z.array(unknownFact),
});

/** {@link factsSchema}. */
export type Facts = z.infer<typeof factsSchema>;
