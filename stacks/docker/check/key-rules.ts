import { dirname } from "node:path";
import { ONLINE_CLASSES, stepCaComponent } from "../../../certs/step-ca/names.ts";
import type { Component } from "../../../model/component.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { only, type Rule } from "./subject.ts";

/** A TPM behind the kernel's resource manager; any other device would be one that a TPM is not. */
const TPM = /^\/dev\/tpmrm[0-9]{1,2}$/;

// By the deployment's own words and these names alone: a grant that some component gives itself counts for nothing here.
const ISSUERS = ONLINE_CLASSES.map(stepCaComponent);

/** Folder of the host's socket by which an online authority reaches its key; undefined for every other component. */
export function keySocketFolder({ name }: Component, { pki: { issuing }, docker }: Deployment): string | undefined {
  if (!ISSUERS.some((issuer) => issuer === name)) return undefined;
  if (issuing.kind === "pkcs11") return dirname(docker.tokenSocket);
  return issuing.kind === "tpm2" && !TPM.test(issuing.device) ? dirname(issuing.device) : undefined;
}

/** An online authority has the TPM that its key is in, to read and write, and no other container has any device. */
export const keyDeviceRule: Rule = only("RENDERED_PRIVILEGED", "devices", ({ component, deployment }) => {
  const { issuing } = deployment.pki;
  const own = issuing.kind === "tpm2" && TPM.test(issuing.device) && ISSUERS.some((each) => each === component.name);
  if (!own) return undefined;
  return [{ container_path: issuing.device, host_path: issuing.device, permissions: "rw" }];
});
