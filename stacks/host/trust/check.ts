import type { KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dsseVerify } from "../../../protocol/dsse.ts";
import { messageOf, TrustKernError } from "../../../shared/errors.ts";
import type { Finding } from "../../../shared/finding.ts";
import type { DockerCli } from "../docker-cli.ts";
import { compareContainers, compareFiles, startFinding } from "./compare.ts";
import { parseManifest, START_MANIFEST_TYPE, type StartManifest } from "./manifest.ts";
import { digestOfFile, observeContainers } from "./observe.ts";
import { type StartPlace, trustFiles } from "./place.ts";
import { readSeen, type Seen, seenOf } from "./seen.ts";
import { fingerprintOf } from "./signing-key.ts";
import { pinnedStartKey } from "./start-key.ts";

/** What is to be checked. */
export interface StartCheck extends StartPlace {
  readonly docker: DockerCli;
  /** {@link fingerprintOf} the only key that may have signed. @default the one that is pinned in the state directory */
  readonly signer?: string | undefined;
}

/** What a check found. */
export interface StartVerdict {
  /** Of the manifest, where its signature is good. */
  readonly version: number | undefined;
  /** None: everything fits. */
  readonly findings: readonly Finding[];
  /** What is to be remembered where everything fits and counts: no older manifest is accepted then. */
  readonly seen?: Seen;
}

/** Version of the manifest that is there, where the pinned key signed it; 0 otherwise. */
export function signedVersion(place: StartPlace): number {
  const key = pinnedStartKey(place.layout);
  const trusted = key === undefined ? undefined : readTrusted(place, key);
  return trusted === undefined || "code" in trusted ? 0 : trusted.manifest.version;
}

interface Trusted {
  readonly manifest: StartManifest;
  readonly seen: Seen;
}

/**
 * Holds the start manifest against its signature, the newest one seen, what runs and what lies on the disk. Changes nothing.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED, STATE_CORRUPT (the pinned key)
 */
export async function checkStart(check: StartCheck): Promise<StartVerdict> {
  const key = pinnedStartKey(check.layout);
  const trusted = key === undefined ? missing(trustFiles(check.layout).signer) : readTrusted(check, key);
  if ("code" in trusted) return { version: undefined, findings: [trusted] };
  const { manifest, seen } = trusted;
  const findings = [
    ...identityFindings(check, manifest),
    ...ageFindings(check, seen),
    ...compareFiles(manifest, check, digestOfFile),
    ...compareContainers(manifest, await observeContainers(check.docker), check),
  ];
  return { version: manifest.version, findings, seen };
}

function readTrusted({ layout, signer }: Pick<StartCheck, "layout" | "signer">, key: KeyObject): Trusted | Finding {
  const { manifest: path, signer: pin } = trustFiles(layout);
  const pinned = fingerprintOf(key);
  if (signer !== undefined && signer !== pinned) {
    return startFinding(
      "START_SIGNER_DIFFERS",
      pin,
      `the key that is pinned is ${pinned}, and --signer says ${signer}`,
    );
  }
  if (!existsSync(path)) return missing(path);
  let payload: Buffer;
  try {
    payload = dsseVerify(readFileSync(path, "utf8"), START_MANIFEST_TYPE, key);
  } catch (thrown) {
    const forged = thrown instanceof TrustKernError && thrown.code === "DSSE_BAD_SIGNATURE";
    return startFinding(forged ? "START_SIGNER_DIFFERS" : "START_MANIFEST_MALFORMED", path, messageOf(thrown));
  }
  const manifest = parseManifest(payload);
  if (manifest === undefined) {
    return startFinding("START_MANIFEST_MALFORMED", path, "what is signed is no manifest of this version of trustkern");
  }
  return { manifest, seen: seenOf(manifest.version, payload) };
}

function identityFindings({ deployment, label, layout }: StartPlace, manifest: StartManifest): readonly Finding[] {
  const pairs = [
    ["deployment", manifest.deployment, deployment.name],
    ["tenant", manifest.tenant, deployment.tenant],
    ["state directory", manifest.state, label[1]],
  ] as const;
  return pairs
    .filter(([, signed, here]) => signed !== here)
    .map(([what, signed, here]) =>
      startFinding(
        "START_MANIFEST_FOREIGN",
        trustFiles(layout).manifest,
        `it is of ${what} "${signed}", here is "${here}"`,
      ),
    );
}

function ageFindings({ layout }: StartPlace, { version, sha256 }: Seen): readonly Finding[] {
  const { manifest, seen: path } = trustFiles(layout);
  let newest: Seen | undefined;
  try {
    newest = readSeen(path);
  } catch (thrown) {
    return [startFinding("START_STATE_CORRUPT", path, messageOf(thrown))];
  }
  if (newest === undefined || version > newest.version) return [];
  if (version === newest.version && sha256 === newest.sha256) return [];
  const message =
    version === newest.version
      ? `it has version ${version}, and another one of that version was seen`
      : `it has version ${version}, and version ${newest.version} was seen`;
  return [startFinding("START_MANIFEST_OLD", manifest, message)];
}

function missing(path: string): Finding {
  return startFinding("START_MANIFEST_MISSING", path, "the file is not there");
}
