import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Component } from "../../../model/component.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import type { CheckContext, CheckedPod } from "./context.ts";
import { labelsOf, selectorOf } from "./context.ts";

// All of this is worked out anew from the model, and not by what renders the objects: else one mistake would be made twice.

const READ = 0o440;

/** The template of a pod as it has to be. */
export function expectedTemplate(pod: CheckedPod, context: CheckContext): object {
  const { components } = pod;
  const job = components.some(({ health }) => health.kind === "exit");
  const connects = components.some(
    ({ name }) =>
      name === "custody" || context.model.flows.some((flow) => flow.from === name && flow.protection !== "unix"),
  );
  const online = connects && components.some(({ network }) => network);
  const volumes = components.flatMap((component) => expectedVolumes(component, pod));
  return {
    metadata: { labels: labelsOf(components[0], context) },
    spec: {
      serviceAccountName: pod.name,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: job ? "OnFailure" : "Always",
      terminationGracePeriodSeconds: 30,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 10_001, runAsGroup: 10_001, fsGroup: 10_001 },
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      ...(online ? { dnsPolicy: "ClusterFirst" } : { dnsPolicy: "None", dnsConfig: { nameservers: ["127.0.0.1"] } }),
      ...(job
        ? {}
        : {
            topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
              ...{ maxSkew: 1, topologyKey, whenUnsatisfiable: "ScheduleAnyway" },
              labelSelector: { matchLabels: selectorOf(pod.name, context) },
            })),
          }),
      containers: components.map((component) => expectedContainer(component, pod, context)),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  };
}

function expectedContainer(component: Component, pod: CheckedPod, context: CheckContext): object {
  const { name, command, environment = {}, ports, limits, exceptions } = component;
  const granted = new Set(exceptions.flatMap(({ grants = [] }) => grants));
  const most = {
    cpu: processors(limits.cpus),
    memory: binary(limits.memoryMiB),
    "ephemeral-storage": "128Mi",
  };
  const env = Object.entries(environment).map(([key, value]) => ({ name: key, value: doubled(value) }));
  return {
    name,
    ...expectedImage(component, context),
    ...(command === undefined ? {} : { command: command.map(doubled) }),
    ...(env.length === 0 ? {} : { env }),
    ...(ports.length === 0
      ? {}
      : {
          ports: ports.map(({ name: port, port: containerPort, protocol }) => ({
            name: port,
            containerPort,
            protocol: protocol === "udp" ? "UDP" : "TCP",
          })),
        }),
    resources: { requests: { ...most, cpu: processors(limits.cpus / 10) }, limits: most },
    securityContext: {
      ...{
        runAsNonRoot: true,
        runAsUser: 10_001,
        runAsGroup: 10_001,
        privileged: false,
        allowPrivilegeEscalation: false,
      },
      readOnlyRootFilesystem: !granted.has("rootfs:writable"),
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    ...expectedProbes(component, granted.has("health:none")),
    volumeMounts: expectedMounts(component, pod, context),
    terminationMessagePolicy: "File",
  };
}

const processors = (count: number) => (Number.isInteger(count) ? `${count}` : `${Math.round(count * 1000)}m`);

/** Mebibytes as the API writes them. */
export function binary(count: number): string {
  return count >= 1024 && count % 1024 === 0 ? `${count / 1024}Gi` : `${count}Mi`;
}

const doubled = (text: string) => text.replaceAll("$", () => "$$");

function expectedImage({ image = "" }: Component, { images: { source, images } }: CheckContext): object {
  const { reference = "", digest = "" } = images[image] ?? {};
  if (source !== "registry") return { image: reference, imagePullPolicy: "Never" };
  const repository = reference.replace(/:[^/:]*$/, "");
  return { image: `${repository}@${digest}`, imagePullPolicy: "IfNotPresent" };
}

function expectedProbes({ health, ports, sockets }: Component, portOnly: boolean): object {
  const [port] = ports.filter(({ protocol }) => protocol !== "udp").map((each) => each.port);
  if (health.kind === "exit" || (portOnly && port === undefined)) return {};
  const asked = health.kind === "socket" ? sockets.find(({ name }) => name === health.socket)?.path : undefined;
  const command = health.kind === "command" ? health.command.map(doubled) : ["/usr/bin/node", "/app/probe.mjs", asked];
  const how = portOnly ? { tcpSocket: { port } } : { exec: { command } };
  const probe = { ...how, periodSeconds: 5, timeoutSeconds: 10, failureThreshold: 3 };
  if (health.mayWait) return { readinessProbe: probe };
  return { startupProbe: { ...probe, failureThreshold: Math.ceil(health.startupSeconds / 5) }, readinessProbe: probe };
}

const inPod = ({ name }: Component, { components }: CheckedPod, what: string) =>
  components.length > 1 ? `${name}-${what}` : what;
const socketName = ({ name }: Component, socket: string) =>
  name.length > 40 ? `socket-${socket}` : `socket-${name}-${socket}`;
const configName = ({ name, files }: Component) =>
  `${name}-${createHash("sha256").update(stableJson(files)).digest("hex").slice(0, 10)}`;

/** Name of a component's ConfigMap, with the hash of what it has to hold. */
export function expectedConfigName(component: Component): string {
  return configName(component);
}

/** Key of a configuration file, from its path in the container. */
export function expectedKey(path: string): string {
  return path.replace("/etc/trustkern/", "").replaceAll("/", "__");
}

/** Name of the claim template of a volume. */
export function expectedClaim(component: Component, volume: string, { components }: CheckedPod): string {
  return components.length > 1 ? `volume-${component.name}-${volume}` : `volume-${volume}`;
}

function expectedVolumes(component: Component, pod: CheckedPod): readonly object[] {
  const memory = (name: string, sizeLimit: string) => ({ name, emptyDir: { medium: "Memory", sizeLimit } });
  return [
    ...(component.files.length > 0
      ? [{ name: inPod(component, pod, "config"), configMap: { name: configName(component), defaultMode: READ } }]
      : []),
    ...(component.secrets.length > 0
      ? [{ name: inPod(component, pod, "secrets"), secret: { secretName: component.name, defaultMode: READ } }]
      : []),
    ...component.scratch.map(({ maxMiB }, index) => memory(inPod(component, pod, `scratch-${index}`), binary(maxMiB))),
    ...component.sockets.map(({ name }) => memory(socketName(component, name), "1Mi")),
  ];
}

function expectedMounts(component: Component, pod: CheckedPod, { model }: CheckContext): readonly object[] {
  const reached = model.flows.filter(
    (flow) => flow.from === component.name && flow.protection === "unix" && !flow.byEngine,
  );
  return [
    ...component.files.map(({ path }) => ({
      ...{ name: inPod(component, pod, "config"), mountPath: path, subPath: expectedKey(path), readOnly: true },
    })),
    ...(component.secrets.length > 0
      ? [{ name: inPod(component, pod, "secrets"), mountPath: "/run/secrets", readOnly: true }]
      : []),
    ...component.volumes.map(({ name, path }) => ({ name: expectedClaim(component, name, pod), mountPath: path })),
    ...component.scratch.map(({ path }, index) => ({
      name: inPod(component, pod, `scratch-${index}`),
      mountPath: path,
    })),
    ...component.sockets.map(({ name, path }) => ({ name: socketName(component, name), mountPath: dirname(path) })),
    ...reached.flatMap(({ to, port }) =>
      pod.components
        .filter(({ name }) => name === to)
        .flatMap((listener) =>
          listener.sockets
            .filter(({ name }) => name === port)
            .map(({ path }) => ({ name: socketName(listener, port), mountPath: dirname(path), readOnly: true })),
        ),
    ),
  ];
}
