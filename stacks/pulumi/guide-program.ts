import { type Transform, TrustKernDeployment } from "trustkern/pulumi";

const smaller: Transform = (object) => {
  if (object.kind !== "container" || object.name !== "loki") return undefined;
  return { ...object, inputs: { ...object.inputs, memory: 256, memorySwap: 256 } };
};

const north = new TrustKernDeployment("plant-north", {
  deployment: {
    name: "plant-north",
    tenant: "acme",
    profile: "dev",
    engine: "docker",
    images: { source: "packages", grafana: "absent" },
    ports: { broker: 8883 },
  },
  dir: "/srv/trustkern/plant-north",
  imageLock: "images.lock.yaml",
  transform: smaller,
});

export const broker = north.endpoints.apply((endpoints) => endpoints["broker.mqtts"]);
export const limits = north.processLimits;
