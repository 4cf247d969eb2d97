import { judgeRunning } from "../../../operations/verify/running/index.ts";
import {
  expectedCommand,
  expectedEnvironment,
  expectedMounts,
  expectedRights,
} from "../../../operations/verify/running/judge/expected.ts";
import type { Observation, TlsAttempt } from "../../../operations/verify/running/observation.ts";
import { flowName, networkFlows } from "../../../operations/verify/running/observe/reach-questions.ts";
import type { ContainerSpec } from "../../../stacks/docker/containers.ts";
import { networkName } from "../../../stacks/docker/networks.ts";
import { planContainers } from "../../../stacks/docker/plan.ts";
import { DEPLOYMENTS, renderedDeployment } from "../rendered.ts";
import type { Weakening, Weakenings } from "./weakening.ts";

// What nothing leaves from is asked for outside of dev alone.
const deployment = { ...DEPLOYMENTS["single-host"], egress: { mode: "isolated", allow: [] } } as const;
const { stack, subject: target } = renderedDeployment(deployment);
const { model, layout } = target;
const plan = planContainers(model, target);
const subject = { deployment, rendered: { layout, model, plan, stack } };

const IMAGE = { environment: ["PATH=/usr/bin"], entrypoint: ["/usr/bin/node"], command: [], folder: "/app" };
const imageOf = ({ image }: ContainerSpec) => ({ ...IMAGE, id: `sha256:${Buffer.from(image).toString("hex")}` });

interface Binding {
  readonly HostIp: string;
  readonly HostPort: string;
}

/** What an Engine shows of a container that is as planned; only what the judges look at. */
function inspected(
  spec: ContainerSpec,
): Observation["components"] extends ReadonlyMap<string, infer Seen> ? Seen : never {
  const ports = spec.ports.map(({ internal, external, protocol, address }): [string, Binding[]] => {
    return [`${internal}/${protocol}`, [{ HostIp: address, HostPort: `${external}` }]];
  });
  const networks = spec.networks.map(
    ({ id, address }) => [networkName(plan.deployment, id), { IPAddress: address }] as const,
  );
  return {
    condition: spec.job ? "done" : "healthy",
    container: {
      ...{ Id: spec.name, Name: `/${spec.name}`, Image: imageOf(spec).id, RestartCount: 0, Mounts: [] },
      State: { Status: "running", Running: !spec.job, ExitCode: 0, Pid: 1, StartedAt: "2026-01-01T00:00:00Z" },
      Config: { User: spec.user, Labels: null },
      HostConfig: {
        ...{ Privileged: false, ReadonlyRootfs: true, Memory: spec.memoryMiB * 1_048_576, NetworkMode: "none" },
        ...{ PidsLimit: spec.pids, NanoCpus: spec.cpus * 1e9, PortBindings: Object.fromEntries(ports) },
      },
      NetworkSettings: { Networks: Object.fromEntries(networks) },
    },
  };
}

function observed(spec: ContainerSpec): Observation["everything"][number] {
  const image = imageOf(spec);
  return {
    ...{ id: spec.name, name: spec.name, labels: {}, sources: [], networks: [], sharesWith: [] },
    facts: {
      image: [image.id],
      command: expectedCommand(spec, image),
      environment: expectedEnvironment(spec, image),
      user: [spec.user],
      rights: expectedRights(spec),
      devices: spec.devices.map((device) => `${device} (rw)`),
      mounts: expectedMounts(spec),
      ports: [],
      networks: [],
    },
  };
}

const INSIDE = {
  answer: { listeners: [], addresses: [], routes: [], reach: [], handshakes: [], names: [], sent: [], heard: [] },
};
const TARGET = { host: "10.0.0.1", port: 1, protocol: "tcp" } as const;
const HANDSHAKE = { outcome: "taken", version: "TLSv1.3", why: "" } as const;
const NO = { outcome: "refused", version: "", why: "certificate required" } as const;

/** A port that takes its own client, and nobody else. */
function attempt(shows: TlsAttempt["shows"], answer: TlsAttempt["answer"]): TlsAttempt {
  // What was asked is the probe's; the judges look at the answer.
  const handshake = {} as TlsAttempt["handshake"];
  return { from: "collector", to: "broker", port: "mqtts", shows, handshake, answer };
}

const running = plan.containers.filter(({ job }) => !job);
const SOUND: Observation = {
  components: new Map(plan.containers.map((spec) => [spec.name, inspected(spec)])),
  everything: plan.containers.map(observed),
  inside: new Map(running.map(({ name }) => [name, INSIDE])),
  reach: [
    ...networkFlows(model).map((flow) => {
      return { from: flow.from, to: flow.to, target: TARGET, flow: flowName(flow), reached: "connected" } as const;
    }),
    { from: "gw-01", to: "collector", target: TARGET, flow: undefined, reached: "silent" },
  ],
  tls: [attempt("own", HANDSHAKE), attempt("nothing", NO), attempt("old-version", NO)],
  roots: undefined,
  unshown: [],
  hostReach: [],
  resolves: new Map(running.map(({ name }) => [name, false])),
  watch: { answer: { controls: [true, true], otherRoutes: [], listener: [true, true], left: [] } },
  images: new Map(plan.containers.map((spec) => [spec.image, { answer: imageOf(spec) }])),
  mountTables: new Map(),
  custody: { sealed: false, kind: deployment.custody.kind, custodyClass: deployment.custody.leastClass },
  volumes: [{ component: "database", path: "data", encryption: "encrypted" }],
};

function by(change: Partial<Observation>): Weakening {
  return { sound: () => judgeRunning(SOUND, subject), weakened: () => judgeRunning({ ...SOUND, ...change }, subject) };
}

/** One container whose facts were changed. */
function changed(facts: Partial<Observation["everything"][number]["facts"]>): Weakening {
  return by({
    everything: SOUND.everything.map((one) =>
      one.name === "gw-01" ? { ...one, facts: { ...one.facts, ...facts } } : one,
    ),
  });
}

const withoutAnswer = SOUND.reach.filter(({ flow }) => flow === undefined);

/** Weakenings of the layer running: what its judges see where the mitigation is gone. */
export const RUNNING_WEAKENINGS: Weakenings = {
  "running.components": by({
    components: new Map([
      ...SOUND.components,
      ["broker", { condition: "unhealthy", container: SOUND.components.get("broker")?.container }],
    ]),
  }),
  "running.flows": by({
    reach: SOUND.reach.map((one) => (one.flow === undefined ? one : { ...one, reached: "refused" })),
  }),
  "running.refused": by({
    reach: [...SOUND.reach, ...withoutAnswer.map((one) => ({ ...one, reached: "connected" as const }))],
  }),
  "running.listeners": by({
    inside: new Map([
      ...SOUND.inside,
      ["gw-01", { answer: { ...INSIDE.answer, listeners: [{ protocol: "tcp", address: "0.0.0.0", port: 4444 }] } }],
    ]),
  }),
  "running.tls.accepted": by({ tls: [attempt("own", NO)] }),
  "running.tls.refused": by({ tls: [attempt("own", HANDSHAKE), attempt("nothing", HANDSHAKE)] }),
  "running.tls.version": by({
    tls: [attempt("own", HANDSHAKE), attempt("old-version", { ...HANDSHAKE, version: "TLSv1.2" })],
  }),
  "running.mounts": changed({ mounts: ["/var/lib/keys at /keys"] }),
  "running.environment": changed({ environment: ["DB_PASSWORD=hunter2"] }),
  "running.rights": changed({ rights: ["privileged=true"] }),
  "running.images": changed({ image: ["sha256:another"] }),
  "running.egress": by({
    watch: {
      answer: {
        controls: [true, true],
        otherRoutes: [],
        listener: [true, true],
        left: [{ from: "gw-01", line: "UDP 192.0.2.1" }],
      },
    },
  }),
  "running.encryption": by({ volumes: [{ component: "database", path: "data", encryption: "none seen" }] }),
  "running.custody": by({ custody: { sealed: false, kind: "file", custodyClass: null } }),
};
