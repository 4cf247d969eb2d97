import { nameConstraints } from "../../../certs/name-constraints.ts";
import { LEAF_CLASSES } from "../../../certs/names.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { buildModel } from "../../../modules/index.ts";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import type { ProbeAnswer } from "../../../shared/prober.ts";
import type { ContainerSpec } from "../../../stacks/docker/containers.ts";
import type { Observed } from "../../../stacks/docker/life/health.ts";
import type { Rendered } from "../../../stacks/docker/life/render.ts";
import { networkName } from "../../../stacks/docker/networks.ts";
import { dockerPlacement } from "../../../stacks/docker/placement.ts";
import { planContainers } from "../../../stacks/docker/plan.ts";
import { layoutOf } from "../../../stacks/host/layout.ts";
import type { ObservedContainer } from "../../../stacks/host/trust/observe.ts";
import { expectedCommand, expectedEnvironment, expectedMounts, expectedRights } from "./judge/expected.ts";
import type { ImageFacts, Observation, TlsAttempt } from "./observation.ts";
import { type ReachGround, reachAttempts } from "./observe/reach-questions.ts";
import { tlsQuestions } from "./observe/tls-questions.ts";

/** A deployment from which nothing may leave. */
export const deployment: Deployment = {
  ...resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" }),
  egress: { mode: "isolated", allow: [] },
};

const model = buildModel(deployment, dockerPlacement(deployment));
const layout = layoutOf("/srv/tk", "/tmp");
const digestOf = (name: string) => `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64)}`;
const names = [...new Set(model.components.flatMap(({ image }) => image ?? []))];
const images = {
  source: "packages" as const,
  images: Object.fromEntries(names.map((name) => [name, { reference: `trustkern/${name}:1`, digest: digestOf(name) }])),
};
const plan = planContainers(model, { deployment, layout, runAs: { uid: 10_001, gid: 10_001 }, images });

/** What was rendered. */
export const rendered: Rendered = { layout, model, plan, stack: {} };

const image = (name: string): ImageFacts => ({
  id: digestOf(name),
  environment: ["PATH=/usr/bin"],
  entrypoint: [],
  command: ["/usr/bin/node"],
  folder: "/",
});

function observed(spec: ContainerSpec): Observed {
  const networks = spec.networks.map(({ id, address }) => [networkName(deployment, id), { IPAddress: address }]);
  const bindings = spec.ports.map(({ address, internal, external, protocol }) => [
    `${internal}/${protocol}`,
    [{ HostIp: address, HostPort: String(external) }],
  ]);
  const container = {
    Id: digestOf(spec.name),
    State: { Running: !spec.job, Status: spec.job ? "exited" : "running", Pid: 1 },
    HostConfig: { PidsLimit: spec.pids, NanoCpus: spec.cpus * 1e9, PortBindings: Object.fromEntries(bindings) },
    NetworkSettings: { Networks: Object.fromEntries(networks) },
  } as unknown as NonNullable<Observed["container"]>;
  return { condition: spec.job ? "done" : "healthy", container };
}

function shownByDocker(spec: ContainerSpec): ObservedContainer {
  const facts = image(spec.image);
  return {
    id: digestOf(spec.name),
    name: spec.name,
    labels: spec.labels,
    sources: spec.mounts.map(({ source }) => source),
    ...{ writable: [], ofEngine: [], disks: [] },
    networks: spec.networks.map(({ id }) => networkName(deployment, id)),
    sharesWith: [],
    facts: {
      image: [facts.id],
      command: expectedCommand(spec, facts),
      environment: expectedEnvironment(spec, facts),
      user: [spec.user],
      rights: [...expectedRights(spec), "runtime=runc"],
      devices: spec.devices.map((path) => `${path} (rw)`),
      mounts: expectedMounts(spec),
      ports: [],
      networks: ["mode=bridge", "dns=127.0.0.1"],
    },
  };
}

const NOTHING = { routes: [], reach: [], handshakes: [], names: [], sent: [], heard: [] };

function lookInside(spec: ContainerSpec): ProbeAnswer {
  const ports = model.components.find(({ name }) => name === spec.name)?.ports ?? [];
  const addresses = spec.networks.map(({ address }) => address);
  const listeners = ports.map(({ port, protocol }) => ({ protocol, address: addresses[0] ?? "", port }));
  return { ...NOTHING, listeners: [...listeners, { protocol: "tcp", address: "127.0.0.11", port: 40_000 }], addresses };
}

/** What each kind of client hears from a port that does its duty. */
function dutiful({ shows }: Pick<TlsAttempt, "shows">): TlsAttempt["answer"] {
  if (shows === "own") return { outcome: "taken", version: "TLSv1.3", why: "" };
  if (shows === "host") return { outcome: "refused", version: "TLSv1.3", why: "ERR_SSL_CERTIFICATE_REQUIRED" };
  const why = shows === "revoked" ? "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_REVOKED" : "ERR_SSL_ALERT";
  return { outcome: "refused", version: shows === "old-version" ? "" : "TLSv1.3", why };
}

/** What a deployment shows of which every check is proven. */
export function wellSeen(): Observation {
  const running = plan.containers.filter(({ job }) => !job);
  const ground: ReachGround = {
    model,
    plan,
    components: new Map(plan.containers.map((spec) => [spec.name, observed(spec)])),
    inside: new Map(running.map((spec) => [spec.name, { answer: lookInside(spec) }])),
  };
  const leaf = { certPem: "c", keyPem: "k" };
  const identities = new Map(model.components.flatMap(({ identity }) => (identity ? [[identity, leaf] as const] : [])));
  const forged = { "other-root": identities, "other-tenant": identities };
  const tls = tlsQuestions({ ...ground, roots: "r", forged, withRevoked: true });
  return {
    ...ground,
    everything: plan.containers.map(shownByDocker),
    reach: reachAttempts(ground).map((one) => ({ ...one, reached: one.flow === undefined ? "silent" : "connected" })),
    tls: tls.attempts.map((one) => ({ ...one, answer: dutiful(one) })),
    unshown: tls.unshown,
    roots: undefined,
    hostReach: running.map(({ name: from }) => ({
      ...{ from, reached: "silent" as const },
      target: { host: "10.213.0.1", port: 20_000, protocol: "tcp" as const },
    })),
    hostListeners: { answer: [] },
    constraints: {
      answer: new Map(
        LEAF_CLASSES.map((leafClass) => [
          leafClass,
          Buffer.from(nameConstraints(leafClass, deployment.tenant).value).toString("hex"),
        ]),
      ),
    },
    resolves: new Map(running.map(({ name }) => [name, false])),
    watch: {
      answer: {
        controls: [true, true],
        controlsOfIpv6: [null, null],
        otherRoutes: [],
        listener: [true, true],
        left: [],
      },
    },
    images: new Map(names.map((name) => [name, { answer: image(name) }])),
    mountTables: new Map(),
    custody: { sealed: false, kind: deployment.custody.kind, custodyClass: "software" },
    volumes: [{ component: "database", path: "/srv/tk/volumes/database/data", encryption: "encrypted" }],
  };
}
