import { dirname } from "node:path";
import type { V1PersistentVolumeClaim, V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import type { Model } from "../../model/boundary.ts";
import type { Component, Volume } from "../../model/component.ts";
import type { Deployment } from "../../model/deployment.ts";
import { INSIDE } from "../docker/placement.ts";
import { configKey, configMapName } from "./config-map.ts";
import { componentLabels } from "./labels.ts";
import type { Pod } from "./pods.ts";
import { mebibytes } from "./quantities.ts";

/** Files of secrets and configuration: root's, readable for the pod's group, which is what `fsGroup` makes of them. */
const READABLE = 0o440;
/** Room for a socket's file. */
const SOCKET_SIZE = "1Mi";
const GIB = 2 ** 30;
/** Room of volumes beyond {@link DEFAULT_BYTES}; Prometheus keeps 4 GB and its log, the broker what it has queued for clients. */
const VOLUME_BYTES: Readonly<Record<string, number>> = { "prometheus.data": 8 * GIB, "broker.state": 4 * GIB };
const DEFAULT_BYTES = GIB;

/** What a container sees beside its image, and what of it the pod has to have. */
export interface Mounted {
  readonly mounts: readonly V1VolumeMount[];
  readonly volumes: readonly V1Volume[];
}

/** Everything that the containers of a pod see: as docker mounts it, at the same paths. */
export function mountsOf(component: Component, pod: Pod, model: Model): Mounted {
  const named = (what: string) => (pod.components.length > 1 ? `${component.name}-${what}` : what);
  const { files, secrets, scratch, sockets, volumes } = component;
  const parts: readonly Mounted[] = [
    files.length === 0
      ? NOTHING
      : {
          volumes: [{ name: named("config"), configMap: { name: configMapName(component), defaultMode: READABLE } }],
          // File by file: what is mounted as a folder is links, which Mosquitto does not take. The content never changes.
          mounts: files.map((file) => ({
            ...{ name: named("config"), mountPath: file.path, subPath: configKey(file), readOnly: true },
          })),
        },
    secrets.length === 0
      ? NOTHING
      : {
          volumes: [{ name: named("secrets"), secret: { secretName: component.name, defaultMode: READABLE } }],
          // As a folder, so that a renewed certificate reaches who watches it.
          mounts: [{ name: named("secrets"), mountPath: INSIDE.secrets, readOnly: true }],
        },
    {
      volumes: [],
      mounts: volumes.map((volume) => ({ name: claimName(component, volume, pod), mountPath: volume.path })),
    },
    ...scratch.map(({ path, maxMiB }, index) => ({
      volumes: [{ name: named(`scratch-${index}`), emptyDir: { medium: "Memory", sizeLimit: mebibytes(maxMiB) } }],
      mounts: [{ name: named(`scratch-${index}`), mountPath: path }],
    })),
    ...sockets.map(({ name, path }) => ({
      volumes: [{ name: socketVolume(component.name, name), emptyDir: { medium: "Memory", sizeLimit: SOCKET_SIZE } }],
      mounts: [{ name: socketVolume(component.name, name), mountPath: dirname(path) }],
    })),
    { volumes: [], mounts: reachedSockets(component, pod, model) },
  ];
  return {
    volumes: parts.flatMap((part) => part.volumes),
    mounts: parts.flatMap((part) => part.mounts).toSorted((a, b) => (a.mountPath < b.mountPath ? -1 : 1)),
  };
}

const NOTHING: Mounted = { volumes: [], mounts: [] };

/** The folders of sockets that a component has a flow to. Connecting needs no right to write to the folder. */
function reachedSockets({ name }: Component, { components }: Pod, { flows }: Model): readonly V1VolumeMount[] {
  return flows
    .filter(({ from, protection, byEngine }) => from === name && protection === "unix" && byEngine !== true)
    .flatMap(({ to, port }) =>
      components
        .filter((listener) => listener.name === to)
        .flatMap(({ sockets }) => sockets)
        .filter((socket) => socket.name === port)
        .map(({ path }) => ({ name: socketVolume(to, port), mountPath: dirname(path), readOnly: true })),
    );
}

function socketVolume(component: string, socket: string): string {
  return component.length > 40 ? `socket-${socket}` : `socket-${component}-${socket}`;
}

/** Name of a volume's claim template, which its claim begins with: state, that never changes by accident. */
export function claimName({ name }: Component, volume: Volume, { components }: Pod): string {
  return components.length > 1 ? `volume-${name}-${volume.name}` : `volume-${volume.name}`;
}

/** The claims of a pod's volumes: for one node at a time, of the storage class that the deployment says or the cluster's own. */
export function claimsOf(pod: Pod, deployment: Deployment): V1PersistentVolumeClaim[] {
  const { storageClass } = deployment.kubernetes;
  return pod.components.flatMap((component) =>
    component.volumes.map((volume) => ({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: claimName(component, volume, pod), labels: componentLabels(deployment, component) },
      spec: {
        accessModes: ["ReadWriteOnce"],
        ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
        volumeMode: "Filesystem",
        resources: { requests: { storage: mebibytes(Math.ceil(bytesOf(component, volume, deployment) / 2 ** 20)) } },
      },
    })),
  );
}

function bytesOf({ name, service, zone }: Component, volume: Volume, deployment: Deployment): number {
  if (name === "database") return deployment.kubernetes.databaseBytes;
  const known = VOLUME_BYTES[`${name}.${volume.name}`];
  if (known !== undefined) return known;
  const spool = service === "gateway" && zone === "edge" ? deployment.gateway.spoolMaxBytes : 0;
  return DEFAULT_BYTES + spool + (spool > 0 ? deployment.retention.quarantineMaxBytes : 0);
}
