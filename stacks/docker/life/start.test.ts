import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import type { DockerCli } from "../../host/docker-cli.ts";
import { checkStart } from "../../host/trust/check.ts";
import { trustFiles } from "../../host/trust/place.ts";
import { openStartKey } from "../../host/trust/start-key.ts";
import type { ContainerSpec } from "../containers.ts";
import { hostConfigFile } from "../mounts.ts";
import type { DockerOptions } from "./options.ts";
import { type Rendered, renderDocker } from "./render.ts";
import { signDeployed, startPlace, unsealDeployed } from "./start.ts";

const deployment = resolveDeployment({
  name: "demo",
  tenant: "acme",
  profile: "dev",
  engine: "docker",
  images: { source: "packages", grafana: "absent" },
});
const digest = `sha256:${"a".repeat(64)}`;
const names =
  "backend broker collector custody custody-broker database gateway loki prometheus schema shipper simulator step-ca";

let dir: string;
let options: DockerOptions;
let rendered: Rendered;
/** What `docker inspect` shows, by name. */
// biome-ignore lint/suspicious/noExplicitAny: a test spoils whatever member it likes
let shown: Map<string, any>;
let calls: string[];

const docker: DockerCli = async (args) => {
  calls.push(args.slice(0, 2).join(" "));
  if (args[0] === "ps") return { stdout: [...shown.keys()].join("\n"), stderr: "", code: 0 };
  return { stdout: JSON.stringify([...shown.values()]), stderr: "", code: 0 };
};

/** A container as Docker would say it where nobody changed anything. */
function inspected({ name, plan }: { readonly name: string; readonly plan: Rendered["plan"] }): object {
  const spec = plan.containers.find((one) => one.name === name) as ContainerSpec;
  const ports = spec.ports.map(({ internal, protocol, address, external }) => [
    `${internal}/${protocol}`,
    [{ HostIp: address, HostPort: String(external) }],
  ]);
  const networks = plan.networks.flatMap(({ addresses, name: network }) =>
    addresses[name] === undefined ? [] : [[network, { IPAddress: addresses[name] }] as const],
  );
  return {
    Id: name,
    Name: `/${name}`,
    Image: digest,
    RestartCount: 0,
    State: { Status: "running", Running: true, ExitCode: 0, Pid: 1, StartedAt: "" },
    Config: { User: spec.user, Env: spec.environment, Entrypoint: spec.entrypoint, Cmd: null, Labels: spec.labels },
    HostConfig: {
      Privileged: false,
      ReadonlyRootfs: spec.readOnlyRoot,
      CapAdd: spec.addedCapabilities,
      CapDrop: ["ALL"],
      Devices: spec.devices.map((PathOnHost) => ({ PathOnHost, CgroupPermissions: "rw" })),
      Memory: spec.memoryMiB * 1_048_576,
      PidsLimit: spec.pids,
      NetworkMode: networks[0]?.[0] ?? "none",
      Tmpfs: spec.tmpfs,
      PortBindings: Object.fromEntries(ports),
    },
    Mounts: spec.mounts.map(({ source, target, readOnly }) => ({
      Type: "bind",
      Source: source,
      Destination: target,
      RW: !readOnly,
    })),
    NetworkSettings: { Networks: Object.fromEntries(networks) },
  };
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-start-"));
  options = {
    deployment,
    dir,
    temporaryDir: tmpdir(),
    images: {
      source: "packages",
      images: Object.fromEntries(names.split(" ").map((name) => [name, { reference: `t/${name}:1.0.0`, digest }])),
    },
    runAs: { uid: 10_001, gid: 10_001 },
    mayChown: false,
    env: {},
    clock: () => new Date("2026-01-01T00:00:00Z"),
    pid: process.pid,
    signal: new AbortController().signal,
    docker,
    providerMirror: undefined,
    fallbackProgram: undefined,
    onProgress: () => undefined,
  };
  rendered = renderDocker(options);
  for (const { name, files } of rendered.model.components) {
    for (const { path, content } of files) {
      const file = hostConfigFile(rendered.layout, name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
  calls = [];
  shown = new Map(rendered.model.components.map(({ name }) => [name, inspected({ name, plan: rendered.plan })]));
});
afterEach(() => rmSync(dir, { recursive: true }));

const sign = async () => signDeployed(options, rendered, await openStartKey(rendered.layout, "here", deployment));
const findings = async () => (await checkStart({ ...startPlace(options, rendered), docker })).findings;
const manifestFile = () => trustFiles(rendered.layout).manifest;

describe("what no other container may see", () => {
  const token = { kind: "pkcs11", module: "/m.so", token: "t", pinFile: "/etc/pin", keyPrefix: "demo" } as const;
  const guarded = (changes: object) => startPlace({ deployment: { ...deployment, ...changes } }, rendered).guarded;
  const engine = ["/run/docker.sock", "/var/run/docker.sock", "/run/containerd"];

  it("is what a link to the deployment's folder leads to", () => {
    const link = join(dir, "link");
    symlinkSync(dir, link);
    const layout = { ...rendered.layout, dir: link };
    expect(startPlace({ deployment }, { layout }).guarded).toContain(realpathSync(dir));
  });

  it("is the engine's sockets alone where keys are in files", () => {
    expect(guarded({})).toEqual(engine);
  });

  it("is each token's socket as well, and the TPM or its simulator", () => {
    const keys = (custody: object, issuing: object) =>
      guarded({ custody: { ...deployment.custody, ...custody }, pki: { ...deployment.pki, issuing } });
    const [custodyToken, issuingToken] = ["/run/trustkern-demo-custody", "/run/trustkern-demo"];
    expect(keys(token, token)).toEqual([custodyToken, issuingToken, ...engine]);
    const [tpm, simulator] = ["/dev/tpmrm0", "/run/swtpm/sock"].map((device) => ({ kind: "tpm2", device }));
    expect(keys(tpm ?? {}, simulator ?? {})).toEqual(["/dev/tpmrm0", "/run/swtpm", ...engine]);
  });
});

describe("what a deploy signs", () => {
  it("is everything that it has left on the host, and fits it", async () => {
    expect(await sign()).toBe(1);
    expect(await findings()).toEqual([]);
    const { payload } = JSON.parse(readFileSync(manifestFile(), "utf8"));
    const manifest = JSON.parse(Buffer.from(payload, "base64").toString());
    expect(Object.keys(manifest.containers)).toEqual(rendered.model.components.map(({ name }) => name).toSorted());
    expect(Object.keys(manifest.files)).toContain("config/custody/config.json");
    expect(manifest).toMatchObject({ deployment: "demo", tenant: "acme", issuedAt: "2026-01-01T00:00:00.000Z" });
  });

  it("is the configuration that was rendered, and not what somebody has put on the disk meanwhile", async () => {
    writeFileSync(join(rendered.layout.configDir, "custody", "config.json"), "{}");
    await sign();
    expect(await findings()).toMatchObject([{ code: "START_FILE_CHANGED", path: "config/custody/config.json" }]);
  });

  it.each<[string, () => unknown]>([
    ["an image was swapped", () => (shown.get("custody").Image = `sha256:${"b".repeat(64)}`)],
    [
      "a mount was added",
      () => shown.get("broker").Mounts.push({ Type: "bind", Source: "/", Destination: "/h", RW: true }),
    ],
    ["a container is gone", () => shown.delete("collector")],
  ])("is nothing where %s meanwhile", async (_, spoil) => {
    spoil();
    await expect(sign()).rejects.toMatchObject({ code: "START_NOT_AS_PLANNED", exit: 5 });
    expect(() => readFileSync(manifestFile())).toThrow();
  });
});

describe("unsealing at the end of a deploy", () => {
  it("is not needed in profile dev, where custody does it at its start", async () => {
    await unsealDeployed(options, rendered, undefined);
    expect(calls).toEqual([]);
  });

  it("waits for custody elsewhere, and says that it does not answer", async () => {
    const hosted = {
      ...options,
      deployment: { ...deployment, profile: "air-gapped" },
      signal: AbortSignal.abort(),
    } as const;
    await expect(unsealDeployed(hosted, rendered, undefined)).rejects.toMatchObject({ code: "GRPC_UNREACHABLE" });
  });
});
