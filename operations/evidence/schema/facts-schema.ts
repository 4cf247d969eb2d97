import { z } from "zod";
import {
  EGRESS_MODES,
  EGRESS_PURPOSES,
  IMAGE_SOURCES,
  OPERATORS,
  VENDOR_TELEMETRY,
} from "../../../model/deployment.ts";
import { EXTERNAL_PARTS } from "../../../model/kubernetes.ts";
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

/** Of what wrote the evidence. */
const writer = { toolkit: word, node: word } as const;

/** Facts that custody and the backend are asked for, on every engine. */
const ASKED = ["keys", "fleet"] as const;

/** A fact that could not be had, and the code of the error that says why. */
const unknownOf = <const F extends string>(...facts: readonly F[]) =>
  z.array(z.strictObject({ fact: z.enum(facts), code }));

/** What is known of a deployment on any engine. */
const common = {
  hosting: z.strictObject({ region: word, account: word, operator: z.enum(OPERATORS) }),
  imageSource: z.enum(IMAGE_SOURCES),
  mirror: word.nullable(),
  /** SHA-256 of the SPKI of the key that images have to be signed with; null where none is asked for. */
  imageSigner: sha256.nullable(),
  images: z.array(image),
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
} as const;

/** What is known of a deployment besides the checks, as far as it is the same on every engine: no secret, and no key. */
const commonSchema = z.strictObject({ ...common, versions: z.strictObject(writer), unknown: unknownOf(...ASKED) });

/** {@link commonSchema}. */
export type CommonFacts = z.infer<typeof commonSchema>;

/** Of a deployment on the engine docker. No member names the engine: what was signed before there was another one stays as it is. */
export const dockerFactsSchema = z.strictObject({
  ...common,
  versions: z.strictObject({ ...writer, terraform: word.nullable(), dockerEngine: word.nullable() }),
  /** SHA-256 of the Terraform JSON, as `trustkern synth` writes it. */
  stack: sha256,
  unknown: unknownOf(...ASKED, "terraform", "docker"),
});

/** {@link dockerFactsSchema}. */
export type DockerFacts = z.infer<typeof dockerFactsSchema>;

/** Of a deployment in a cluster. */
export const clusterFactsSchema = z.strictObject({
  ...common,
  engine: z.literal("kubernetes"),
  namespace: word,
  /** Networks in CIDR form from which published ports may be reached; none is nobody. */
  publishedTo: z.array(word),
  versions: z.strictObject({
    ...writer,
    /** What the API server says that it is, such as `v1.34.1`; null where it did not answer. */
    kubernetes: word.nullable(),
  }),
  /**
   * SHA-256 of the objects, as `trustkern export kubernetes` prints them: one YAML document for each, `---` between two, in the order
   * in which they are applied. Secrets are not among them.
   */
  stack: sha256,
  /** Parts of the model that somebody else runs: nobody looked inside. */
  elsewhere: z.array(
    z.strictObject({
      component: z.enum(EXTERNAL_PARTS),
      zone: word,
      holds: z.array(word),
      /** Where it is asked; null of who only connects. */
      host: word.nullable(),
      /** Where its provider has it, by the file; null where that says nothing, and it is where the rest is. */
      region: word.nullable(),
    }),
  ),
  unknown: unknownOf(...ASKED, "kubernetes"),
});

/** {@link clusterFactsSchema}. */
export type ClusterFacts = z.infer<typeof clusterFactsSchema>;

/** What is known of a deployment besides the checks, on one engine or the other. */
export type Facts = DockerFacts | ClusterFacts;
