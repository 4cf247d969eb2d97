import type { Deployment, EgressHost } from "../../model/deployment.ts";
import type { Finding } from "../../shared/finding.ts";
import type { ImageLock, LockedImage } from "./lock-file.ts";
import { type ImageOrigin, repositoryOf } from "./lock-images.ts";
import { apiHost } from "./reference.ts";
import { judgeSignature } from "./signatures/judge.ts";
import type { SigningKey } from "./signatures/signing-key.ts";

/** How a lock is written anew. */
export const LOCK_AGAIN = "trustkern images lock";

/** What a deployment asks of its images. */
export interface ImageDemands {
  readonly images: ImageOrigin;
  /** What this host may reach. */
  readonly egress: Deployment["egress"];
  /** @default signatures are not asked for */
  readonly signedBy?: SigningKey | undefined;
}

/**
 * What of a lock is not what the deployment asks for, by the files alone: of these images those that are not the mirror's, that come
 * from a registry which this host may not reach, and those whose signature the lock does not have. What it does not name is left out.
 */
export function lockFindings(lock: ImageLock, names: readonly string[], demands: ImageDemands): readonly Finding[] {
  if (lock.source !== "registry") return [];
  return names.flatMap((name) => {
    const locked = lock.images[name];
    if (locked === undefined) return [];
    return [...checkOrigin(name, locked, demands), ...checkSignature(name, locked, demands)];
  });
}

/** A lock that was made before the mirror was named would still pull from elsewhere. */
function checkOrigin(name: string, { reference }: LockedImage, { images, egress }: ImageDemands): readonly Finding[] {
  const elsewhere = (message: string, fix: string): readonly Finding[] => [
    { code: "IMAGE_ELSEWHERE", path: `images.${name}`, message, fix },
  ];
  const { mirror } = images;
  if (mirror !== undefined) {
    if (reference.startsWith(`${mirror}/`)) return [];
    return elsewhere(`${reference} is not in images.mirror ${mirror}`, LOCK_AGAIN);
  }
  const { hostname, port } = new URL(`https://${apiHost(reference)}`);
  if (egress.mode === "open" || egress.allow.some((entry) => isRegistry(entry, hostname, Number(port || 443))))
    return [];
  const message = `${reference} comes from ${hostname}, which is not in egress.allow for images`;
  return elsewhere(
    message,
    "name a registry that is on the list as images.mirror, or list this one; then `trustkern images lock`",
  );
}

function isRegistry({ host, port, protocol, purpose }: EgressHost, hostname: string, at: number): boolean {
  return host === hostname && port === at && protocol === "tcp" && (purpose === "images" || purpose === "mirror");
}

function checkSignature(
  name: string,
  { reference, digest, signature }: LockedImage,
  { images, signedBy }: ImageDemands,
): readonly Finding[] {
  if (signedBy === undefined) return [];
  const why =
    signature === undefined
      ? `it was locked without a signature of ${signedBy.fingerprint}, the key of images.signedBy`
      : judgeSignature(signature, { repository: repositoryOf(images, name), digest }, signedBy);
  if (why === undefined) return [];
  const message = `${reference} at ${digest}: ${why}`;
  return [{ code: "IMAGE_UNSIGNED", path: `images.${name}`, message, fix: LOCK_AGAIN }];
}
