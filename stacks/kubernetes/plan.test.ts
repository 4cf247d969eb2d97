import { describe, expect, it } from "vitest";
import { component, type Grant } from "../../model/component.ts";
import { resolveDeployment } from "../../profiles/resolve.ts";
import { stableJson } from "../../shared/stable-json.ts";
import { manifestFiles } from "./manifests.ts";
import type { PlannedObject } from "./objects.ts";
import { planKubernetes } from "./plan.ts";
import { quantityOf } from "./quantities.ts";
import { deploymentOf, KUBERNETES_FILES, type TestPlan, testPlan } from "./test-deployments.ts";

// biome-ignore lint/suspicious/noExplicitAny: rules about objects of every kind are written as a reader of YAML would say them
type Loose = any;

const PROFILES = Object.keys(KUBERNETES_FILES) as (keyof typeof KUBERNETES_FILES)[];
const PLANS = Object.fromEntries(
  PROFILES.map((profile) => [profile, testPlan(deploymentOf(KUBERNETES_FILES[profile]))]),
) as Record<(typeof PROFILES)[number], TestPlan>;

const ofKind = ({ plan }: TestPlan, kind: string): Loose[] => plan.objects.filter((object) => object.kind === kind);
const named = (test: TestPlan, kind: string, name: string): Loose =>
  ofKind(test, kind).find(({ metadata }) => metadata.name === name);
const workloads = (test: TestPlan): Loose[] =>
  ["StatefulSet", "Deployment", "Job"].flatMap((kind) => ofKind(test, kind));
const containers = (test: TestPlan): Loose[] =>
  workloads(test).flatMap(({ spec }) => spec.template.spec.containers as Loose[]);

describe.each(PROFILES)("the objects of profile %s", (profile) => {
  const test = PLANS[profile];
  const { deployment, model, plan } = test;

  it("are the same for the same deployment, in the same order", () => {
    expect(stableJson(testPlan(deploymentOf(KUBERNETES_FILES[profile])).plan.objects)).toBe(stableJson(plan.objects));
    expect(Object.keys(manifestFiles(plan))).toEqual(Object.keys(manifestFiles(plan)).toSorted());
  });

  it("are of its namespace, which PodSecurity holds to restricted", () => {
    const [first, ...others] = plan.objects;
    expect(first).toMatchObject({ kind: "Namespace", metadata: { name: deployment.kubernetes.namespace } });
    expect(first?.metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    });
    expect(others.filter(({ metadata }) => (metadata as Loose).namespace !== deployment.kubernetes.namespace)).toEqual(
      [],
    );
  });

  it("run every component once, and none of what runs elsewhere", () => {
    const own = model.components.filter(({ external }) => external === undefined).map(({ name }) => name);
    expect(
      containers(test)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(own.toSorted());
  });

  it("put custody and its broker into one pod, and nobody else with anybody", () => {
    const shared = workloads(test).filter(({ spec }) => spec.template.spec.containers.length > 1);
    expect(shared.map(({ metadata }) => metadata.name)).toEqual(["custody"]);
    expect(shared[0].spec.template.spec.containers.map(({ name }: Loose) => name)).toEqual([
      "custody",
      "custody-broker",
    ]);
  });

  it("have no rights: no root, no capability, no privilege, no writable root, no token, nothing of the node", () => {
    for (const { spec } of workloads(test)) {
      const pod = spec.template.spec;
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.enableServiceLinks).toBe(false);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const key of ["hostNetwork", "hostPID", "hostIPC", "hostAliases", "initContainers"]) {
        expect(pod).not.toHaveProperty(key);
      }
      const kinds = (pod.volumes ?? []).flatMap((volume: Loose) => Object.keys(volume).filter((key) => key !== "name"));
      expect(kinds.filter((kind: string) => !["configMap", "secret", "emptyDir"].includes(kind))).toEqual([]);
      for (const { securityContext } of pod.containers) {
        expect(securityContext).toMatchObject({
          ...{ runAsNonRoot: true, allowPrivilegeEscalation: false, privileged: false, readOnlyRootFilesystem: true },
          capabilities: { drop: ["ALL"] },
        });
        expect(securityContext.capabilities).not.toHaveProperty("add");
      }
    }
  });

  it("have limits, and ask for all of the memory and the disk, and a tenth of the processors", () => {
    for (const { resources } of containers(test)) {
      const { cpu, ...promised } = resources.limits;
      expect(resources.requests).toMatchObject(promised);
      expect(quantityOf(resources.requests.cpu)).toBeCloseTo(quantityOf(cpu) / 10, 3);
      expect(Object.keys(resources.limits).toSorted()).toEqual(["cpu", "ephemeral-storage", "memory"]);
    }
  });

  it("bound every folder in memory, and keep every volume in a claim of the storage class", () => {
    const memory = workloads(test).flatMap(({ spec }) => spec.template.spec.volumes ?? []);
    for (const { emptyDir } of memory)
      if (emptyDir) expect(emptyDir).toMatchObject({ medium: "Memory", sizeLimit: expect.stringMatching(/^\d+Mi$/) });
    for (const { spec } of ofKind(test, "StatefulSet")) {
      for (const claim of spec.volumeClaimTemplates) {
        expect(claim.spec.storageClassName).toBe(deployment.kubernetes.storageClass);
        expect(claim.spec.resources.requests.storage).toMatch(/^[1-9]\d*[MG]i$/);
      }
    }
    const claims = ofKind(test, "StatefulSet").flatMap(({ spec }) => spec.volumeClaimTemplates);
    const own = model.components.filter(({ external }) => external === undefined);
    expect(claims).toHaveLength(own.flatMap(({ volumes }) => volumes).length);
  });

  it("mount every volume and folder that they have, and no other", () => {
    for (const { spec, metadata } of workloads(test)) {
      const { containers: own, volumes = [] } = spec.template.spec;
      const there = [...volumes, ...(spec.volumeClaimTemplates ?? []).map((claim: Loose) => claim.metadata)];
      const mounted = new Set(own.flatMap(({ volumeMounts }: Loose) => volumeMounts.map(({ name }: Loose) => name)));
      expect([...mounted].toSorted(), metadata.name).toEqual(there.map(({ name }: Loose) => name).toSorted());
      for (const { volumeMounts } of own) {
        const paths = volumeMounts.map(({ mountPath }: Loose) => mountPath);
        expect(new Set(paths).size).toBe(paths.length);
      }
    }
  });

  it("put each configuration file where its program looks, in a ConfigMap that never changes and has room", () => {
    for (const { name, files } of model.components.filter(({ external }) => external === undefined)) {
      const container = containers(test).find((each) => each.name === name);
      const mounts = container.volumeMounts.filter(({ subPath }: Loose) => subPath !== undefined);
      expect(mounts.map(({ mountPath }: Loose) => mountPath).toSorted()).toEqual(
        files.map(({ path }) => path).toSorted(),
      );
      const maps = ofKind(test, "ConfigMap").filter(({ metadata }) => metadata.labels["trustkern.component"] === name);
      expect(maps).toHaveLength(files.length === 0 ? 0 : 1);
      for (const map of maps) {
        expect(map.immutable).toBe(true);
        expect(Object.keys(map.data)).toHaveLength(files.length);
        for (const [key, content] of Object.entries<string>(map.data)) {
          expect(key).toMatch(/^[-._a-zA-Z0-9]{1,253}$/);
          expect(files.map((file) => file.content)).toContain(content);
        }
        expect(Buffer.byteLength(JSON.stringify(map.data))).toBeLessThan(1_000_000);
      }
    }
  });

  it("name secrets and hold none: each component sees its own alone, read-only, by the group alone", () => {
    expect(ofKind(test, "Secret")).toEqual([]);
    for (const { spec } of workloads(test)) {
      const pod = spec.template.spec;
      for (const { name, volumeMounts } of pod.containers) {
        for (const mount of volumeMounts) {
          const { secret } = (pod.volumes ?? []).find((volume: Loose) => volume.name === mount.name) ?? {};
          if (secret === undefined) continue;
          expect(secret).toEqual({ secretName: name, defaultMode: 0o440 });
          expect(mount).toMatchObject({ mountPath: "/run/secrets", readOnly: true });
        }
      }
    }
    const named = model.components.filter(({ external, secrets }) => external === undefined && secrets.length > 0);
    expect(plan.secrets).toEqual(
      named.map(({ name, secrets }) => ({ secret: name, keys: secrets.map((each) => each.name) })),
    );
  });

  it("are found by labels that they have: services, policies, budgets and workloads select pods that are there", () => {
    const templates = workloads(test).map(({ spec }) => spec.template.metadata.labels);
    const selectors = [
      ...ofKind(test, "Service").map(({ spec }) => spec.selector),
      ...ofKind(test, "PodDisruptionBudget").map(({ spec }) => spec.selector.matchLabels),
      ...ofKind(test, "NetworkPolicy").flatMap(({ spec }) => spec.podSelector.matchLabels ?? []),
      ...["StatefulSet", "Deployment"].flatMap((kind) =>
        ofKind(test, kind).map(({ spec }) => spec.selector.matchLabels),
      ),
    ];
    for (const selector of selectors) {
      const hit = templates.filter((labels) => Object.entries(selector).every(([key, value]) => labels[key] === value));
      expect(hit, stableJson(selector)).toHaveLength(1);
    }
  });

  it("lead a service to ports that a container of its pod has", () => {
    for (const { metadata, spec } of ofKind(test, "Service")) {
      const pod = workloads(test).find(
        ({ spec: { template } }) =>
          template.metadata.labels["trustkern.component"] === spec.selector["trustkern.component"],
      );
      const own = pod.spec.template.spec.containers.flatMap(({ ports = [] }: Loose) => ports);
      for (const { targetPort, protocol } of spec.ports) {
        expect(
          own.some((port: Loose) => port.containerPort === targetPort && port.protocol === protocol),
          metadata.name,
        ).toBe(true);
      }
    }
  });

  it("name for each StatefulSet a service that is there and leads to its pods", () => {
    for (const { metadata, spec } of ofKind(test, "StatefulSet")) {
      expect(named(test, "Service", spec.serviceName)?.spec.selector, metadata.name).toEqual(spec.selector.matchLabels);
    }
  });

  it("put out one pod at a time, never two, and keep what was stored", () => {
    for (const { spec } of ofKind(test, "PodDisruptionBudget")) expect(spec.maxUnavailable).toBe(1);
    for (const { spec } of ofKind(test, "StatefulSet")) {
      expect(spec.updateStrategy).toEqual({ type: "RollingUpdate", rollingUpdate: { partition: 0 } });
      expect(spec.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: "Retain", whenScaled: "Retain" });
    }
    expect(ofKind(test, "PodDisruptionBudget")).toHaveLength(workloads(test).length - ofKind(test, "Job").length);
  });

  it("ask how they are, and end none of those that may have to wait", () => {
    for (const { name, health } of model.components.filter(({ external }) => external === undefined)) {
      const { readinessProbe, startupProbe, livenessProbe } = containers(test).find((each) => each.name === name);
      const asked = health.kind !== "exit";
      expect(readinessProbe !== undefined, name).toBe(asked);
      expect(livenessProbe, name).toBeUndefined();
      const waits = health.kind === "exit" || health.mayWait === true;
      expect(startupProbe !== undefined, name).toBe(asked && !waits);
      if (startupProbe)
        expect(startupProbe.failureThreshold * startupProbe.periodSeconds).toBeGreaterThanOrEqual(
          health.startupSeconds,
        );
    }
  });

  it("have names that Kubernetes takes", () => {
    for (const { kind, metadata } of plan.objects) {
      const longest = kind === "StatefulSet" ? 52 : ["NetworkPolicy", "ConfigMap"].includes(kind) ? 253 : 63;
      expect(metadata.name, kind).toMatch(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
      expect(metadata.name.length, kind).toBeLessThanOrEqual(longest);
      for (const [key, value] of Object.entries((metadata as Loose).labels ?? {})) {
        expect(`${key}=${value}`).toMatch(
          /^([a-z0-9.-]+\/)?[A-Za-z0-9._-]{1,63}=[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
        );
      }
    }
    expect(new Set(plan.objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).size).toBe(
      plan.objects.length,
    );
  });

  it("run what the lock names and nothing by a tag that moves", () => {
    for (const { image, imagePullPolicy } of containers(test)) {
      if (deployment.images.source === "registry") {
        expect(image).toMatch(/^registry\.example:5000\/[a-z0-9-]+@sha256:[0-9a-f]{64}$/);
        expect(imagePullPolicy).toBe("IfNotPresent");
      } else expect(imagePullPolicy).toBe("Never");
    }
  });
});

describe("several custodies", () => {
  const test = PLANS["eu-hosted"];
  const configOf = (name: string) => {
    const files = test.model.components.find((each) => each.name === name)?.files ?? [];
    return JSON.parse(files[0]?.content ?? "");
  };

  it("have names of their own below that of their brokers' Service, at which brokers ask the first one", () => {
    const { spec } = named(test, "StatefulSet", "custody");
    expect(spec).toMatchObject({ replicas: 3, serviceName: "custody-broker", podManagementPolicy: "Parallel" });
    expect(named(test, "Service", "custody-broker").spec.clusterIP).toBe("None");
    const { writer } = configOf("custody-broker").replicas;
    const { namespace } = test.deployment.kubernetes;
    expect(writer.host).toBe(`custody-0.${spec.serviceName}.${namespace}.svc`);
    expect(writer.servername).toBe(`custody-broker.${test.deployment.tenant}.trustkern.internal`);
    expect(configOf("custody").replicas).toEqual({ writer: "custody-0" });
  });

  it("are told nothing of each other where there is one", () => {
    const alone = PLANS["customer-tenant"];
    const text = alone.model.components.flatMap(({ files }) => files.map(({ content }) => content)).join();
    expect(text).not.toContain("custody-0");
    expect(alone.model.flows.filter(({ from, to }) => from === to)).toEqual([]);
    expect(named(alone, "StatefulSet", "custody").spec).toMatchObject({ replicas: 1, serviceName: "custody-broker" });
  });

  it("lose one at a time when nodes are emptied", () => {
    expect(named(test, "PodDisruptionBudget", "custody").spec).toMatchObject({ maxUnavailable: 1 });
  });
});

describe("several collectors", () => {
  it("follow the load, between the deployment's bounds, without a number that sets them back", () => {
    const test = PLANS["eu-hosted"];
    expect(named(test, "HorizontalPodAutoscaler", "collector").spec).toMatchObject({
      ...{ minReplicas: 2, maxReplicas: 4, scaleTargetRef: { kind: "StatefulSet", name: "collector" } },
    });
    expect(named(test, "StatefulSet", "collector").spec).not.toHaveProperty("replicas");
    expect(ofKind(test, "HorizontalPodAutoscaler")).toHaveLength(1);
  });

  it("are a fixed number where the bounds are one", () => {
    const test = PLANS["customer-tenant"];
    expect(named(test, "StatefulSet", "collector").spec.replicas).toBe(3);
    expect(ofKind(test, "HorizontalPodAutoscaler")).toEqual([]);
  });

  it("are each behind the name, share one subscription, and ask custody's broker over mutual TLS", () => {
    const test = PLANS["eu-hosted"];
    expect(named(test, "Service", "collector").spec.clusterIP).toBe("None");
    expect(named(test, "Service", "broker").spec).not.toHaveProperty("clusterIP");
    const config = JSON.parse(test.model.components.find(({ name }) => name === "collector")?.files[0]?.content ?? "");
    expect(config).toMatchObject({
      sharedSubscription: true,
      custody: {
        kind: "mtls",
        host: "custody-broker.tk-demo.svc",
        port: 8446,
        servername: "custody-broker.acme.trustkern.internal",
      },
      tls: { crlFile: "/run/secrets/crl.pem" },
    });
    expect(config).not.toHaveProperty("custodySocket");
  });

  it("are each read by Prometheus", () => {
    const files = PLANS["eu-hosted"].model.components.find(({ name }) => name === "prometheus")?.files ?? [];
    const yaml = files.find(({ path }) => path.endsWith("prometheus.yml"))?.content ?? "";
    expect(yaml).toContain("dns_sd_configs");
    expect(yaml).not.toMatch(/loki/i);
    expect(files.map(({ content }) => content).join("")).not.toMatch(/loki/i);
  });
});

describe("logs", () => {
  it("are the platform's: there is no shipper and no Loki, and nothing asks one", () => {
    const { model } = PLANS["eu-hosted"];
    const names = model.components.map(({ name }) => name);
    expect(names).not.toContain("shipper");
    expect(names).not.toContain("loki");
    expect(model.flows.filter(({ byEngine }) => byEngine)).toEqual([]);
    const grafana = model.components.find(({ name }) => name === "grafana");
    expect(grafana?.files.map(({ content }) => content).join("")).not.toContain("trustkern-logs");
  });
});

describe("what runs elsewhere", () => {
  const test = PLANS["customer-tenant"];

  it("stays in the model, in its zone and with what it holds, and is not made", () => {
    const database = test.model.components.find(({ name }) => name === "database");
    expect(database).toMatchObject({ zone: "decryption", files: [], secrets: [], volumes: [] });
    expect(database?.holds).toContain("plaintext");
    for (const part of ["database", "loki", "prometheus", "grafana"]) {
      expect(test.plan.objects.filter(({ metadata }) => metadata.name === part)).toEqual([]);
    }
    expect(Object.keys(test.images.images)).not.toContain("database");
  });

  it("is asked where the deployment says, and held to its own authorities", () => {
    const config = JSON.parse(test.model.components.find(({ name }) => name === "collector")?.files[0]?.content ?? "");
    expect(config.database).toMatchObject({
      ...{ host: "rows.internal", port: 6432 },
      tls: { caFile: "/run/secrets/database.crt", servername: "rows.internal" },
    });
    expect(test.plan.secrets.find(({ secret }) => secret === "collector")?.keys).toContain("database.crt");
  });
});

describe("published ports", () => {
  it("are handed out by a service of their own, to whom the deployment says, and no other port with them", () => {
    const { spec } = named(PLANS["eu-hosted"], "Service", "broker-published");
    expect(spec).toMatchObject({
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      loadBalancerSourceRanges: ["192.0.2.0/24"],
    });
    expect(spec.ports.map(({ name }: Loose) => name)).toEqual(["mqtts"]);
  });

  it("are nobody's where the deployment says nobody", () => {
    const names = PLANS["customer-tenant"].plan.objects.map(({ metadata }) => metadata.name);
    expect(names.filter((name) => name.includes("published"))).toEqual([]);
  });
});

describe("a component", () => {
  const deployment = resolveDeployment({ name: "demo", tenant: "acme", profile: "eu-hosted", engine: "kubernetes" });
  const pin = { reference: "registry.example/tiny:1", digest: `sha256:${"b".repeat(64)}` };

  function plan(more: object = {}, grants: readonly Grant[] = [], locked: Partial<typeof pin> = pin) {
    const tiny = component({
      ...({ name: "tiny", zone: "operations", holds: [], image: "tiny", files: [], network: false } as const),
      health: { kind: "command", command: ["/bin/ok"], startupSeconds: 30 },
      limits: { memoryMiB: 64, pids: 16, cpus: 0.5 },
      exceptions: [{ what: "x", reason: "y", grants }],
      ...more,
    });
    const images = { source: "registry", images: { tiny: locked as typeof pin } } as const;
    return planKubernetes({ engine: "kubernetes", components: [tiny], flows: [] }, { deployment, images });
  }
  const template = (planned: ReturnType<typeof plan>): Loose =>
    (planned.objects.find(({ kind }) => kind === "Deployment") as PlannedObject & Loose).spec.template.spec;
  const codeOf = (work: () => unknown) => {
    try {
      work();
    } catch (thrown) {
      return (thrown as { code?: string }).code;
    }
    return undefined;
  };

  it.each<Grant>(["user:root", "capability:NET_ADMIN", "host-socket:/run/x/sock", "device:/dev/tpmrm0"])(
    "is refused where it is granted %s, which PodSecurity restricted refuses",
    (grant) => {
      expect(codeOf(() => plan({}, [grant]))).toBe("KUBERNETES_COMPONENT");
    },
  );

  it("is refused without an image, without its digest, and with a name that is too long", () => {
    expect(codeOf(() => plan({ image: "other" }))).toBe("KUBERNETES_COMPONENT");
    expect(codeOf(() => plan({}, [], { reference: pin.reference }))).toBe("KUBERNETES_IMAGE_UNPINNED");
    expect(codeOf(() => plan({ name: "t".repeat(53) }))).toBe("KUBERNETES_NAME_LONG");
    expect(codeOf(() => plan({ name: "t".repeat(52) }))).toBeUndefined();
  });

  it("is a Deployment without volumes, which has the next pod ready before the one before goes", () => {
    const planned = plan({ replicas: 2 });
    const spec = (planned.objects.find(({ kind }) => kind === "Deployment") as Loose).spec;
    expect(spec).toMatchObject({ replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } });
  });

  it("is a Job by the hash of what it runs, where it ends by itself", () => {
    const job = (command: string): Loose =>
      plan({ health: { kind: "exit", startupSeconds: 30 }, command: [command] }).objects.find(
        ({ kind }) => kind === "Job",
      );
    expect(job("/bin/a").metadata.name).toMatch(/^tiny-[0-9a-f]{10}$/);
    expect(job("/bin/a").metadata.name).not.toBe(job("/bin/b").metadata.name);
    expect(job("/bin/a").spec.template.spec.restartPolicy).toBe("OnFailure");
  });

  it("keeps each $ of its command and variables as it is", () => {
    const {
      containers: [own],
    } = template(plan({ command: ["/bin/x", "$(HOME)", "$$"], environment: { LIB: "/usr/$LIB/x" } }));
    expect(own.command).toEqual(["/bin/x", "$$(HOME)", "$$$$"]);
    expect(own.env).toEqual([{ name: "LIB", value: "/usr/$$LIB/x" }]);
  });

  it("is asked by its port whether it is ready, where its image has nothing that could ask", () => {
    const ports = [
      { name: "coap", port: 5684, protocol: "udp" },
      { name: "https", port: 9090, protocol: "tcp" },
    ];
    const [own] = template(plan({ ports }, ["health:none"])).containers;
    for (const probe of [own.readinessProbe, own.startupProbe]) {
      expect(probe).toMatchObject({ tcpSocket: { port: 9090 } });
      expect(probe).not.toHaveProperty("exec");
    }
    expect(template(plan({ ports })).containers[0].readinessProbe).toMatchObject({ exec: { command: ["/bin/ok"] } });
    for (const none of [[], ports.slice(0, 1)]) {
      const [closed] = template(plan({ ports: none }, ["health:none"])).containers;
      expect(closed).not.toHaveProperty("readinessProbe");
    }
  });

  it("that connects to nobody asks nobody for a name", () => {
    expect(template(plan())).toMatchObject({ dnsPolicy: "None", dnsConfig: { nameservers: ["127.0.0.1"] } });
  });

  it("that a socket joins to one of another zone is refused", () => {
    const one = (name: string, zone: "operations" | "ingress") =>
      component({
        ...({ name, zone, holds: [], image: "tiny", files: [], network: false } as const),
        sockets: [{ name: "s", path: `/run/trustkern/${name}.s/sock` }],
        health: { kind: "socket", socket: "s", startupSeconds: 30 },
        limits: { memoryMiB: 64, pids: 16, cpus: 0.5 },
      });
    const flows = [{ from: "a", to: "b", port: "s", protection: "unix", carries: ["metadata"] }] as const;
    const images = { source: "registry", images: { tiny: pin } } as const;
    const of = (zone: "operations" | "ingress") =>
      planKubernetes(
        { engine: "kubernetes", components: [one("b", "operations"), one("a", zone)], flows },
        { deployment, images },
      );
    expect(codeOf(() => of("ingress"))).toBe("KUBERNETES_POD");
    expect(of("operations").pods.map(({ name }) => name)).toEqual(["b"]);
  });
});

it("puts no secret of the environment or of a file into any object", () => {
  const canary = "tk-canary-5f1d7c";
  process.env.TRUSTKERN_CANARY = canary;
  const text = JSON.stringify(PROFILES.map((profile) => testPlan(deploymentOf(KUBERNETES_FILES[profile])).plan));
  delete process.env.TRUSTKERN_CANARY;
  expect(text).not.toContain(canary);
  expect(text).not.toMatch(/PRIVATE KEY|password=|AGE-SECRET/);
});
