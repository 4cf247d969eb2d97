import { z } from "zod";
import { stableJson } from "../../../shared/stable-json.ts";

/** DSSE payload type of a start manifest. */
export const START_MANIFEST_TYPE = "application/vnd.trustkern.start-manifest+json";

/** What is compared of a container, each as a list of texts. */
export const FACTS = [
  "image",
  "command",
  "environment",
  "user",
  "rights",
  "devices",
  "mounts",
  "ports",
  "networks",
] as const;

/** What the Docker Engine says of a container, as far as it decides what runs and what it can reach. */
export type ContainerFacts = Readonly<Record<Fact, readonly string[]>>;

type Fact = (typeof FACTS)[number];

const texts = z.array(z.string()).readonly();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const facts = Object.fromEntries(FACTS.map((fact) => [fact, texts])) as Record<Fact, typeof texts>;

const manifestSchema = z.strictObject({
  schema: z.literal("trustkern.start-manifest/1"),
  deployment: z.string().min(1),
  tenant: z.string().min(1),
  /** Value of the label of everything that belongs to the state directory. */
  state: z.string().min(1),
  /** Higher with every deploy. */
  version: z.int().min(1),
  /** RFC 3339, UTC. */
  issuedAt: z.iso.datetime(),
  /** By the name of the container. */
  containers: z.record(z.string(), z.strictObject(facts)),
  /** Path of each configuration file below the state directory, and its SHA-256. */
  files: z.record(z.string(), sha256),
});

/** What `trustkern deploy` has left on a host: custody is unsealed for nothing else. No secret. */
export type StartManifest = Readonly<z.infer<typeof manifestSchema>>;

/** The bytes that are signed. */
export function renderManifest(manifest: StartManifest): Buffer {
  return Buffer.from(stableJson(manifest));
}

/** A manifest out of bytes whose signature was verified, or undefined where they are none. */
export function parseManifest(bytes: Uint8Array): StartManifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
