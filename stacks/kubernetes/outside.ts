import { ONLINE_CLASSES, stepCaComponent } from "../../certs/step-ca/names.ts";
import type { Deployment } from "../../model/deployment.ts";
import type { Peers } from "../../model/kubernetes.ts";

/** A server of keys that a component reaches, and that is no component. */
export interface Outside {
  readonly component: string;
  /** What it is, for the policy's name. */
  readonly name: "keys";
  readonly port: number;
  readonly peers: Peers;
}

const HTTPS = 443;

/** Every server of keys that the deployment reaches: Vault or a KMS of custody, and a KMS of the online authorities. */
export function outsideOf({ custody, kubernetes, pki: { issuing } }: Deployment): readonly Outside[] {
  const { keys, issuingKeys } = kubernetes;
  const ofCustody = custody.kind === "vault" ? portOf(custody.address) : custody.kind === "aws-kms" ? HTTPS : undefined;
  const authorities = issuing.kind === "aws-kms" ? ONLINE_CLASSES.map(stepCaComponent) : [];
  return [
    ...(keys === undefined || ofCustody === undefined
      ? []
      : [{ component: "custody", name: "keys", port: ofCustody, peers: keys } as const]),
    ...(issuingKeys === undefined
      ? []
      : authorities.map((component) => ({ component, name: "keys", port: HTTPS, peers: issuingKeys }) as const)),
  ];
}

function portOf(url: string): number {
  const { port } = new URL(url);
  return port === "" ? HTTPS : Number(port);
}
