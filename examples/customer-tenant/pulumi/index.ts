import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PlannedObject, type Transform, TrustKernDeployment } from "trustkern/pulumi";
import { parse } from "yaml";

const folder = join(import.meta.dirname, "..");

// Pods wait for their Secrets, and custody for its order, which come after `pulumi up`: it does not wait for the pods.
const unattended: Transform = (object) => {
  const { kind } = object;
  if (kind !== "StatefulSet" && kind !== "Deployment" && kind !== "Job" && kind !== "Service") return undefined;
  const metadata = { ...object.inputs.metadata, annotations: { "pulumi.com/skipAwait": "true" } };
  return { ...object, inputs: { ...object.inputs, metadata } } as PlannedObject;
};

const north = new TrustKernDeployment("plant-north", {
  deployment: parse(readFileSync(join(folder, "trustkern.yaml"), "utf8")),
  imageLock: join(folder, "images.lock.yaml"),
  transform: unattended,
});

export const namespace = north.namespace;
export const endpoints = north.endpoints;
