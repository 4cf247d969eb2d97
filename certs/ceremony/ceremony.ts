import type { SecurityEvent } from "../../shared/security-event.ts";
import { stableJson } from "../../shared/stable-json.ts";
import type { Authority } from "../authority.ts";
import { certifyIntermediate } from "../classes/intermediate.ts";
import { certifyRoot, type IssuedAuthority } from "../classes/root.ts";
import { LEAF_CLASSES, type LeafClass } from "../names.ts";
import { signJws } from "../signers/sign-jws.ts";
import type { KeySigner } from "../signers/signer.ts";
import { assertKeys } from "./assert-keys.ts";
import { assertPeople, type People } from "./people.ts";
import { certificateEntry, TRANSCRIPT_TYPE, type Transcript } from "./transcript.ts";

/** What a deployment's PKI is made from. Every key was made before, where it stays. */
export interface CeremonyRequest extends People {
  /** One lower-case DNS label. */
  readonly tenant: string;
  /** Namespace of a cluster whose Services the authority of services may name too. @default none */
  readonly namespace?: string | undefined;
  readonly now: Date;
  /** The root's key, offline again when the ceremony is over. */
  readonly root: KeySigner;
  /** The keys of the issuing authorities. */
  readonly issuing: Readonly<Record<LeafClass, KeySigner>>;
  /** The keys of makers' authorities, by maker. @default none */
  readonly makers?: Readonly<Record<string, KeySigner>> | undefined;
  /** Programs and their versions, for the transcript. */
  readonly versions: Readonly<Record<string, string>>;
  /** Whether a root on P-256 is accepted, for a device that has nothing longer. @default false */
  readonly acceptP256Root?: boolean | undefined;
}

/** A file of the folder of authorities. */
export interface CeremonyFile {
  /** Relative to the folder: `root.crt`, `gateways.crt`, `makers/acme.crt`, `transcript.jws`. */
  readonly path: string;
  readonly content: string;
}

/** What a ceremony leaves. No private key is in it. */
export interface Ceremony {
  readonly root: Authority;
  readonly issuing: Readonly<Record<LeafClass, Authority>>;
  readonly makers: Readonly<Record<string, Authority>>;
  readonly transcript: Transcript;
  /** The transcript, signed with the root's key (compact JWS, RFC 7515). */
  readonly transcriptJws: string;
  readonly files: readonly CeremonyFile[];
  readonly events: readonly SecurityEvent[];
}

interface Made extends IssuedAuthority<Authority> {
  readonly id: string;
  readonly key: KeySigner;
  readonly file: string;
}

/**
 * Makes the authorities of a deployment: the root signs itself, one authority for each class and one for each maker, and at
 * last the transcript.
 * @throws CEREMONY_KEY_REUSED, CEREMONY_CURVE, CEREMONY_NAME_INVALID, CERT_NAME_INVALID, and what the keys' devices throw
 */
export async function holdCeremony(request: CeremonyRequest): Promise<Ceremony> {
  assertPeople(request);
  assertOwnKeys(request);
  const { tenant, now, root: key, makers = {} } = request;
  const root: Made = { ...(await certifyRoot(key, { tenant, now })), id: "root", key, file: "root.crt" };
  const made: Made[] = [root];
  // One after the other: a token and a TPM do one thing at a time.
  for (const leafClass of LEAF_CLASSES) {
    const own = request.issuing[leafClass];
    const issued = await certifyIntermediate(root.authority, own, { leafClass, now, namespace: request.namespace });
    made.push({ ...issued, id: leafClass, key: own, file: `${leafClass}.crt` });
  }
  for (const [maker, own] of Object.entries(makers)) {
    const issued = await certifyIntermediate(root.authority, own, { maker, now });
    made.push({ ...issued, id: `maker-${maker}`, key: own, file: `makers/${maker}.crt` });
  }
  const transcript = transcriptOf(request, made);
  const payload = Buffer.from(stableJson(transcript));
  const transcriptJws = await signJws(key, { typ: TRANSCRIPT_TYPE }, payload);
  const authorityOf = (id: string): Authority => (made.find((each) => each.id === id) ?? root).authority;
  return {
    root: root.authority,
    issuing: {
      services: authorityOf("services"),
      gateways: authorityOf("gateways"),
      operators: authorityOf("operators"),
    },
    makers: Object.fromEntries(Object.keys(makers).map((maker) => [maker, authorityOf(`maker-${maker}`)])),
    transcript,
    transcriptJws,
    files: [
      ...made.map(({ file, authority }) => ({ path: file, content: authority.certPem })),
      { path: "transcript.jws", content: `${transcriptJws}\n` },
    ],
    events: made.map(({ event }) => event),
  };
}

function transcriptOf(
  { now, tenant, conductor, witnesses, versions }: CeremonyRequest,
  made: readonly Made[],
): Transcript {
  return {
    schema: "trustkern.ceremony/1",
    time: now.toISOString(),
    tenant,
    conductor,
    witnesses: [...witnesses],
    versions: { ...versions },
    certificates: made.map(({ id, key, authority }) => certificateEntry(id, authority.certPem, key.where)),
  };
}

function assertOwnKeys({ root, issuing, makers = {}, acceptP256Root = false }: CeremonyRequest): void {
  const online = [
    ...LEAF_CLASSES.map((id) => ({ ...issuing[id], id })),
    ...Object.entries(makers).map(([maker, key]) => ({ ...key, id: `maker-${maker}` })),
  ];
  assertKeys([{ ...root, id: "root" }, ...online], acceptP256Root);
}
