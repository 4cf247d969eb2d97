import { dirname } from "node:path";
import { ONLINE_CLASSES, stepCaComponent } from "../../../certs/step-ca/names.ts";
import type { Component } from "../../../model/component.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { only, type Rule } from "./subject.ts";

/** A TPM behind the kernel's resource manager; any other device would be one that a TPM is not. */
const TPM = /^\/dev\/tpmrm[0-9]{1,2}$/;

// By the deployment's own words and these names alone: a grant that some component gives itself counts for nothing here.
const ISSUERS = ONLINE_CLASSES.map(stepCaComponent);

/** Where a component's key is on the host, and the socket of its token; undefined for who has none there. */
function keyOf({ name }: Component, { pki: { issuing }, custody, docker }: Deployment) {
  if (name === "custody") return { place: custody, tokenSocket: docker.custodySocket };
  return ISSUERS.some((issuer) => issuer === name) ? { place: issuing, tokenSocket: docker.tokenSocket } : undefined;
}

/** Folder of the host's socket by which a component reaches its key; undefined for every component that has none there. */
export function keySocketFolder(component: Component, deployment: Deployment): string | undefined {
  const key = keyOf(component, deployment);
  if (key?.place.kind === "pkcs11") return dirname(key.tokenSocket);
  return key?.place.kind === "tpm2" && !TPM.test(key.place.device) ? dirname(key.place.device) : undefined;
}

/** Who has its key in the TPM has that, to read and write, and no other container has any device. */
export const keyDeviceRule: Rule = only("RENDERED_PRIVILEGED", "devices", ({ component, deployment }) => {
  const place = keyOf(component, deployment)?.place;
  if (place?.kind !== "tpm2" || !TPM.test(place.device)) return undefined;
  return [{ container_path: place.device, host_path: place.device, permissions: "rw" }];
});
