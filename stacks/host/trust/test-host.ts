import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DockerCli } from "../docker-cli.ts";
import { layoutOf } from "../layout.ts";
import { checkStart, type StartCheck, type StartVerdict } from "./check.ts";
import { digestOfFile, observeContainers } from "./observe.ts";
import type { StartPlace } from "./place.ts";
import { signStart } from "./sign.ts";
import type { SigningKeyPlace } from "./signing-key.ts";
import { openStartKey } from "./start-key.ts";

/** A container as `docker inspect` shows it, for a test to change. */
// biome-ignore lint/suspicious/noExplicitAny: a test spoils whatever member it likes
export type Inspectable = any;

const PKI = { root: { kind: "age" }, issuing: { kind: "file" } } as const;
const CONFIG = "config/custody/config.json";

/** A host with two containers of a deployment, and a Docker Engine that is played. */
export interface TestHost {
  readonly place: StartPlace;
  readonly docker: DockerCli;
  /** By name; the engine shows these. */
  readonly containers: Record<string, Inspectable>;
  /** As `docker volume inspect` shows them. */
  readonly volumes: { Name: string; Options: Record<string, string> | null }[];
  /** Path below the state directory. */
  readonly at: (name: string) => string;
  /** Signs what is there now. */
  readonly deploy: (key?: SigningKeyPlace) => Promise<number>;
  readonly check: (changes?: Partial<StartCheck>) => Promise<StartVerdict>;
  /** Codes and paths of what a check finds. */
  readonly found: (changes?: Partial<StartCheck>) => Promise<readonly string[]>;
  readonly end: () => void;
}

/** A host that nothing was signed on yet. */
export function testHost(): TestHost {
  const folder = mkdtempSync(join(tmpdir(), "tk-trust-"));
  const layout = layoutOf(join(folder, "state"), tmpdir());
  const at = (name: string): string => join(layout.dir, name);
  mkdirSync(dirname(at(CONFIG)), { recursive: true });
  writeFileSync(at(CONFIG), '{"unseal":"on-order"}');
  const place: StartPlace = {
    guarded: ["/run/trustkern-demo-custody", "/dev/tpmrm0", "/var/run/docker.sock"],
    deployment: { name: "demo", tenant: "acme" },
    layout,
    label: ["trustkern.state", "0123456789abcdef"],
  };
  const containers: TestHost["containers"] = {
    custody: inspectable("custody", at("volumes/custody/keys")),
    broker: inspectable("broker", at("volumes/broker/data")),
  };
  const volumes: TestHost["volumes"] = [];
  const docker: DockerCli = async ([command]) => {
    const all = Object.values(containers);
    const answers: Readonly<Record<string, string>> = {
      ps: all.map(({ Id }) => `${Id}\n`).join(""),
      info: "/var/lib/docker\n",
      volume: JSON.stringify(volumes),
    };
    return { stdout: answers[command ?? ""] ?? JSON.stringify(all), stderr: "", code: 0 };
  };
  const check: TestHost["check"] = (changes) => checkStart({ ...place, docker, ...changes });
  return {
    place,
    docker,
    containers,
    volumes,
    at,
    check,
    async deploy(key = "here") {
      const signer = await openStartKey(layout, key, { pki: PKI });
      const facts = (await observeContainers(docker)).map((each) => [each.name, each.facts] as const);
      const files = { [CONFIG]: digestOfFile(at(CONFIG)) };
      const issuedAt = new Date("2026-01-01T00:00:00Z");
      return signStart(place, { containers: Object.fromEntries(facts), files, issuedAt }, signer);
    },
    found: async (changes) => (await check(changes)).findings.map(({ code, path }) => `${code} ${path}`),
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What Docker shows of a container of the test's deployment. */
export function inspectable(name: string, source: string): Inspectable {
  return {
    Id: Buffer.from(name).toString("hex").padEnd(64, "0"),
    Name: `/${name}`,
    Image: `sha256:${"a".repeat(64)}`,
    Config: {
      User: "10001:10001",
      Env: ["PATH=/usr/bin", "NODE_ENV=production"],
      Entrypoint: ["/usr/bin/node", "/app/main.mjs"],
      Cmd: null,
      WorkingDir: "/app",
      Healthcheck: { Test: ["CMD", "/usr/bin/node", "/app/probe.mjs"] },
      Labels: { "trustkern.state": "0123456789abcdef" },
    },
    HostConfig: {
      Privileged: false,
      ReadonlyRootfs: true,
      CapAdd: null,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      GroupAdd: null,
      Devices: [],
      Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
      Memory: 2 ** 29,
      MemorySwap: 2 ** 29,
      PidMode: "",
      IpcMode: "private",
      NetworkMode: "demo-kem",
      UTSMode: "",
      CgroupnsMode: "private",
      MaskedPaths: [
        ...["asound", "acpi", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi"].map(
          (name) => `/proc/${name}`,
        ),
        "/sys/firmware",
      ],
      ReadonlyPaths: ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`),
      Sysctls: null,
      DeviceRequests: null,
      PublishAllPorts: false,
      ExtraHosts: null,
      Dns: [],
      Tmpfs: { "/tmp": "rw,noexec,nosuid,nodev" },
      PortBindings: {},
    },
    Mounts: [{ Type: "bind", Source: source, Destination: "/var/lib/trustkern", RW: true }],
    NetworkSettings: { Networks: { "demo-kem": { IPAddress: "10.213.0.2" } } },
  };
}
