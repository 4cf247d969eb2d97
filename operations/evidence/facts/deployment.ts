import { createPublicKey } from "node:crypto";
import type { Deployment } from "../../../model/deployment.ts";
import type { ImagePins } from "../../../stacks/docker/images.ts";
import { fingerprintOf } from "../../../stacks/host/trust/signing-key.ts";
import type { Facts } from "../schema/facts-schema.ts";

type OfFile = Pick<
  Facts,
  "hosting" | "imageSource" | "mirror" | "imageSigner" | "images" | "egress" | "vendorTelemetry"
>;

/**
 * What `trustkern.yaml` and the image lock say.
 * @param signerPem the public key of `images.signedBy`; undefined where the file names none
 */
export function factsOfFile(
  { hosting, images, egress, telemetry }: Deployment,
  pins: ImagePins,
  signerPem: string | undefined,
): OfFile {
  return {
    hosting: { region: hosting.region, account: hosting.account, operator: hosting.operator },
    imageSource: images.source,
    mirror: images.mirror ?? null,
    imageSigner: signerPem === undefined ? null : fingerprintOf(createPublicKey(signerPem)),
    images: Object.entries(pins.images).map(([name, { reference, digest }]) => {
      return { name, reference, digest: digest ?? null };
    }),
    egress: {
      mode: egress.mode,
      allow: egress.allow.map(({ host, port, protocol, purpose, region }) => {
        return { host, port, protocol, purpose, region: region ?? null };
      }),
    },
    vendorTelemetry: telemetry.vendor,
  };
}

/** Who may administer, by the file; certificates apart. */
export function administratorsOfFile({
  hosting,
  custody,
  support,
}: Deployment): Pick<Facts["administrators"], "operator" | "custodyOwner" | "grants" | "escrow" | "support"> {
  const granted = support.access === "granted" ? support : undefined;
  return {
    operator: hosting.operator,
    custodyOwner: custody.owner,
    grants: custody.grants.map(({ to, operator }) => ({ to, operator })),
    escrow:
      custody.escrow === undefined
        ? null
        : {
            threshold: custody.escrow.threshold,
            holders: custody.escrow.holders.map(({ name, operator }) => ({ name, operator })),
          },
    support: {
      access: support.access,
      to: granted?.to ?? null,
      from: granted?.from ?? null,
      until: granted?.until ?? null,
      reason: granted?.reason ?? null,
    },
  };
}
