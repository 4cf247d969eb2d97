import type { ImageSource } from "../../model/deployment.ts";
import type { Finding } from "../../shared/finding.ts";

/** One line of the image lock, or a reference that is not locked yet. */
export interface ImagePin {
  /** Repository and tag, such as `grafana/loki:3.7.8`. */
  readonly reference: string;
  /** `sha256:…`: of the manifest in the registry, or with the other sources the ID of the image on this machine. */
  readonly digest?: string | undefined;
}

/** Where every image of a deployment comes from; an image lock is one. */
export interface ImagePins {
  readonly source: ImageSource;
  readonly images: Readonly<Record<string, ImagePin>>;
  /** What of the lock is not what the deployment asks of its images. @default nothing */
  readonly findings?: readonly Finding[];
}

/** Reference by digest alone, as `docker pull` takes it; a tag beside a digest would be ignored. */
export function byDigest({ reference, digest }: { readonly reference: string; readonly digest: string }): string {
  const tag = reference.indexOf(":", reference.lastIndexOf("/") + 1);
  return `${tag < 0 ? reference : reference.slice(0, tag)}@${digest}`;
}
