import { catalogue, EXIT } from "../../shared/errors.ts";

/** Error codes of `operations/images/`. */
export const imagesErrors = catalogue({
  IMAGES_LOCK_INVALID: {
    exit: EXIT.configuration,
    summary: "The lock file of the images is not one; the message lists all mistakes.",
    fix: "write it anew with `trustkern images lock`",
  },
  IMAGES_REFERENCE_INVALID: {
    exit: EXIT.configuration,
    summary: "What should name an image is no image reference, or one without a tag.",
    fix: "write it as [host/]repository:tag, such as grafana/grafana:12.3.0",
  },
  IMAGES_NAME_UNKNOWN: {
    exit: EXIT.configuration,
    summary: "No image of TrustKern has that name.",
    fix: "take one of the names that `trustkern images list` prints",
  },
  IMAGES_UNRESOLVED: {
    exit: EXIT.notFound,
    summary:
      "Some images have no digest that could be locked; the message lists all of them. The lock file was not touched.",
    fix: "check the tags and the registry (images.mirror, or `--registry HOST` where there is none); where the profile allows it, on a machine without a registry set images.source to packages and run `trustkern images build`",
  },
  IMAGES_REGISTRY_UNREACHABLE: {
    exit: EXIT.resource,
    summary: "The registry of an image does not answer.",
    fix: "check the network, HTTPS_PROXY, and and images.mirror of the deployment file; where it names no mirror, --registry HOST asks another registry",
  },
  IMAGES_REGISTRY_REFUSED: {
    exit: EXIT.authentication,
    summary: "The registry of an image refuses anonymous reading.",
    fix: "name a mirror that this machine may read from without a login: images.mirror in the deployment file, or --registry HOST where it has none",
  },
  IMAGES_REGISTRY_ANSWER: {
    exit: EXIT.resource,
    summary:
      "The registry gave an answer that is none of the distribution specification, or one that its own digest contradicts.",
    fix: "try again; a registry or proxy that keeps doing this must not be used: name another one with --registry HOST",
  },
  IMAGES_SIGNER_INVALID: {
    exit: EXIT.configuration,
    summary: "What images.signedBy names is no public key that images can be signed by.",
    fix: "name a PEM file with one public key of P-256, such as the cosign.pub of `cosign generate-key-pair`",
  },
  IMAGES_UNSIGNED: {
    exit: EXIT.policy,
    summary:
      "Images have no signature that holds: by the key of images.signedBy, for that digest, of that image. The lock file was not touched.",
    fix: "have whoever made the images sign them (docs/guides/images.md), and copy the signatures with them to a mirror; do not take an image that somebody else signed",
  },
  IMAGES_BUNDLED: {
    exit: EXIT.configuration,
    summary: "The images of the deployment are those of its bundle, and none is made on this machine.",
    fix: "load them from the bundle into the Docker Engine, then run `trustkern images lock`",
  },
  IMAGES_MMDEBSTRAP_MISSING: {
    exit: EXIT.resource,
    summary: "The program that fetches the Debian packages of an image is not on this machine.",
    fix: "install it (Debian: apt-get install mmdebstrap), or take the images from a registry: images.source: registry",
  },
  IMAGES_MIRROR_MISSING: {
    exit: EXIT.configuration,
    summary: "There is no mirror to take the Debian packages of an image from.",
    fix: "set TRUSTKERN_DEBIAN_MIRROR to the URL of a mirror, below which debian and debian-security are",
  },
  IMAGES_PACKAGES_FAILED: {
    exit: EXIT.resource,
    summary: "The Debian packages of an image could not be fetched or unpacked.",
    fix: "read mmdebstrap's lines above: the network, http_proxy and the disk are the usual causes; then run the same command again",
  },
  IMAGES_NODE_MISSING: {
    exit: EXIT.resource,
    summary: "The Node runtime that goes into the images is not among the installed packages.",
    fix: "run `npm ci` in the project, and build images on Linux on x64 or arm64",
  },
  IMAGES_BUNDLE_FAILED: {
    exit: EXIT.failed,
    summary: "A service could not be bundled into one file.",
    fix: "run `npm ci` in the project and try again; read the first lines of the message otherwise",
  },
  IMAGES_LOAD_FAILED: {
    exit: EXIT.resource,
    summary: "The Docker Engine did not take the images that were built.",
    fix: "read its answer above; check the free disk space with `docker system df`, then run the same command again",
  },
  IMAGES_CACHE_UNWRITABLE: {
    exit: EXIT.resource,
    summary: "The cache of image layers cannot be written: the disk is full, or the rights are missing.",
    fix: "free space or mend the rights of the folder, or name another one with TRUSTKERN_CACHE",
  },
  IMAGES_CANCELLED: {
    exit: EXIT.cancelled,
    summary: "The build of the images was cancelled; layers that were complete are kept.",
    fix: "run the same command again",
  },
  IMAGES_SOURCE_DIFFERS: {
    exit: EXIT.configuration,
    summary: "The image lock was written for another source of images than trustkern.yaml names.",
    fix: "write it anew with `trustkern images lock`",
  },
  IMAGES_NOT_LOCKED: {
    exit: EXIT.policy,
    summary: "The deployment runs images by digest only, and nothing says which.",
    fix: "run `trustkern images lock`, and keep images.lock.yaml beside trustkern.yaml",
  },
  IMAGES_MISMATCH: {
    exit: EXIT.policy,
    summary:
      "An image is missing from the lock or from this machine, is other bytes than the lock says, is not from the mirror, or has no signature that holds.",
    fix: "do what the message says for each image; nothing was deployed",
  },
});
