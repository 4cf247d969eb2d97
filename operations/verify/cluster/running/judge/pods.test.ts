import { describe, expect, it } from "vitest";
import type { ClusterObservation } from "../observation.ts";
import { pod, told, within } from "../test-observation.ts";

describe("a breach in a pod is found by its check", () => {
  it.each<[string, Partial<ClusterObservation>, string, string]>([
    [
      "another's Secret",
      pod("gw-01-0", ({ spec }) => {
        spec.volumes.push({ name: "peek", secret: { secretName: "custody" } });
        spec.containers[0].volumeMounts.push({ name: "peek", mountPath: "/peek", readOnly: true });
      }),
      "running.mounts",
      "RUNNING_MOUNT",
    ],
    [
      "another ConfigMap",
      pod("broker-0", ({ spec }) => {
        spec.volumes.find((one: { configMap?: object }) => one.configMap).configMap.name = "other";
      }),
      "running.mounts",
      "RUNNING_MOUNT",
    ],
    [
      "another pod's claim",
      pod("collector-1", ({ spec }) => {
        const volume = spec.volumes.find((one: { persistentVolumeClaim?: object }) => one.persistentVolumeClaim);
        volume.persistentVolumeClaim.claimName = volume.persistentVolumeClaim.claimName.replace(/1$/, "0");
      }),
      "running.mounts",
      "RUNNING_MOUNT",
    ],
    [
      "a folder of the node",
      pod("custody-0", ({ spec }) => spec.volumes.push({ name: "node", hostPath: { path: "/" } })),
      "running.mounts",
      "RUNNING_MOUNT",
    ],
    [
      "a file that is not what was rendered",
      within("broker-0", { files: new Map([["broker /etc/trustkern/config.json", "00"]]) }),
      "running.mounts",
      "RUNNING_MOUNT",
    ],
    [
      "a variable",
      pod("backend-0", ({ spec }) => {
        spec.containers[0].env = [...(spec.containers[0].env ?? []), { name: "NODE_OPTIONS", value: "--inspect" }];
      }),
      "running.environment",
      "RUNNING_ENVIRONMENT",
    ],
    [
      "a secret in a variable",
      pod("backend-0", ({ spec }) => {
        spec.containers[0].env = [...(spec.containers[0].env ?? []), { name: "API_TOKEN", value: "hunter2-and-more" }];
      }),
      "running.environment",
      "RUNNING_SECRET",
    ],
    [
      "another command",
      pod("collector-0", ({ spec }) => spec.containers[0].command.push("--inspect=0.0.0.0")),
      "running.environment",
      "RUNNING_ENVIRONMENT",
    ],
    [
      "an init container",
      pod("collector-0", ({ spec }) => {
        spec.initContainers = [{ name: "first", image: "x" }];
      }),
      "running.environment",
      "RUNNING_ENVIRONMENT",
    ],
    [
      "an ephemeral container",
      pod("gw-01-0", ({ spec }) => {
        spec.ephemeralContainers = [{ name: "debug", image: "x" }];
      }),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "one more container",
      pod("gw-01-0", ({ spec }) => spec.containers.push({ name: "sidecar", image: "x" })),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "the node's network",
      pod("gw-01-0", ({ spec }) => {
        spec.hostNetwork = true;
      }),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "a process namespace that is shared",
      pod("custody-0", ({ spec }) => {
        spec.shareProcessNamespace = true;
      }),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "a capability",
      pod("gw-01-0", ({ spec }) => {
        spec.containers[0].securityContext.capabilities.add = ["NET_RAW"];
      }),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "a token of the API",
      pod("gw-01-0", ({ spec }) => {
        spec.automountServiceAccountToken = true;
      }),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "more memory",
      pod("broker-0", ({ spec }) => {
        spec.containers[0].resources.limits.memory = "64Gi";
      }),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "a label by which policies take it for another's",
      pod("gw-01-0", ({ metadata }) => {
        metadata.labels["trustkern.component"] = "collector";
      }),
      "running.rights",
      "RUNNING_RIGHT",
    ],
    [
      "another image",
      pod("broker-0", ({ spec }) => {
        spec.containers[0].image = "registry.example/other:1";
      }),
      "running.images",
      "RUNNING_IMAGE",
    ],
    [
      "other bytes by the node's word",
      pod("broker-0", ({ status }) => {
        status.containerStatuses[0].imageID = `registry.example/broker@sha256:${"0".repeat(64)}`;
      }),
      "running.images",
      "RUNNING_IMAGE",
    ],
  ])("%s in a pod", (_, changes, id, code) => {
    const seen = told(changes);
    expect(seen[id]?.[0]).toBe("broken");
    expect(seen[id]?.some((finding) => finding.startsWith(`${code} Pod/`))).toBe(true);
  });
});
