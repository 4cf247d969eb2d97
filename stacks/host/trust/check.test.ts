import { randomUUID } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StartCheck } from "./check.ts";
import { trustFiles } from "./place.ts";
import { fingerprintOf } from "./signing-key.ts";
import { pinnedStartKey } from "./start-key.ts";
import { type Inspectable, inspectable, type TestHost, testHost } from "./test-host.ts";
import { type Unsealing, unsealChecked } from "./unseal.ts";

let host: TestHost;
let files: ReturnType<typeof trustFiles>;
beforeEach(async () => {
  host = testHost();
  files = trustFiles(host.place.layout);
  await host.deploy();
});
afterEach(() => host.end());

/** Has everything that fits counted, as an order to unseal does. */
const unseal = () =>
  unsealChecked({
    ...host.place,
    management: { call: async () => ({ sealed: false }) } as unknown as Unsealing["management"],
    check: () => host.check(),
    actor: "test",
    clock: () => new Date(0),
  });

describe("a host as it was deployed", () => {
  it("has nothing wrong with it, again and again", async () => {
    expect(await host.check()).toMatchObject({ version: 1, findings: [] });
    expect(await host.found()).toEqual([]);
  });

  it("stays so after each deploy, with a higher version", async () => {
    expect(await host.deploy()).toBe(2);
    expect(await host.check()).toMatchObject({ version: 2, findings: [] });
  });

  it("is not bothered by containers that have nothing to do with it", async () => {
    const other = inspectable("other", "/srv/other");
    other.Config.Labels = null;
    other.NetworkSettings.Networks = { none: {}, bridge: {} };
    host.containers.other = other;
    host.containers.broker.NetworkSettings.Networks.none = {};
    host.containers.broker.RestartCount = 7;
    expect(await host.found()).toEqual([]);
  });
});

type Spoil = (container: Inspectable) => unknown;

describe("a container that was changed is found", () => {
  it.each<[fact: string, what: string, spoil: Spoil]>([
    ["image", "another image", (it) => (it.Image = `sha256:${"b".repeat(64)}`)],
    ["command", "another program", (it) => (it.Config.Entrypoint = ["/bin/sh"])],
    ["command", "one more argument", (it) => (it.Config.Cmd = ["--inspect"])],
    ["command", "arguments in another order", (it) => it.Config.Entrypoint.reverse()],
    ["command", "another health check", (it) => (it.Config.Healthcheck.Test = ["CMD", "/bin/sh"])],
    ["command", "another folder", (it) => (it.Config.WorkingDir = "/tmp")],
    ["environment", "one more variable", (it) => it.Config.Env.push("NODE_OPTIONS=--require=/evil.js")],
    ["environment", "another value", (it) => (it.Config.Env[1] = "NODE_ENV=test")],
    ["environment", "a variable less", (it) => it.Config.Env.pop()],
    ["user", "root", (it) => (it.Config.User = "0:0")],
    ["rights", "privileges", (it) => (it.HostConfig.Privileged = true)],
    ["rights", "a writable root", (it) => (it.HostConfig.ReadonlyRootfs = false)],
    ["rights", "a capability", (it) => (it.HostConfig.CapAdd = ["SYS_PTRACE"])],
    ["rights", "capabilities that are kept", (it) => (it.HostConfig.CapDrop = [])],
    ["rights", "the host's processes", (it) => (it.HostConfig.PidMode = "host")],
    ["rights", "no seccomp", (it) => it.HostConfig.SecurityOpt.push("seccomp=unconfined")],
    ["rights", "core dumps", (it) => (it.HostConfig.Ulimits[0].Hard = -1)],
    ["rights", "swap", (it) => (it.HostConfig.MemorySwap = -1)],
    ["rights", "another runtime", (it) => (it.HostConfig.Runtime = "evil")],
    ["rights", "memory of the kernel that is not masked", (it) => it.HostConfig.MaskedPaths.splice(2, 1)],
    ["rights", "nothing masked", (it) => (it.HostConfig.MaskedPaths = null)],
    ["rights", "settings of the kernel that may be written", (it) => (it.HostConfig.ReadonlyPaths = [])],
    ["rights", "the host's name", (it) => (it.HostConfig.UTSMode = "host")],
    ["rights", "the host's control groups", (it) => (it.HostConfig.CgroupnsMode = "host")],
    ["rights", "a setting of the kernel", (it) => (it.HostConfig.Sysctls = { "net.ipv4.ip_forward": "1" })],
    ["devices", "every graphics card", (it) => (it.HostConfig.DeviceRequests = [{ Driver: "", Count: -1 }])],
    ["devices", "a rule for devices", (it) => (it.HostConfig.DeviceCgroupRules = ["b *:* rwm"])],
    ["ports", "every port of its image", (it) => (it.HostConfig.PublishAllPorts = true)],
    ["devices", "a device", (it) => it.HostConfig.Devices.push({ PathOnHost: "/dev/mem", CgroupPermissions: "rw" })],
    ["mounts", "one more mount", (it) => it.Mounts.push({ Type: "bind", Source: "/", Destination: "/h", RW: true })],
    ["mounts", "another source", (it) => (it.Mounts[0].Source = "/srv/evil")],
    ["mounts", "a right to write", (it) => (it.Mounts[0].RW = false)],
    ["mounts", "memory that may be executed", (it) => (it.HostConfig.Tmpfs["/tmp"] = "rw,exec")],
    ["ports", "a port", (it) => (it.HostConfig.PortBindings["9229/tcp"] = [{ HostIp: "0.0.0.0", HostPort: "9229" }])],
    ["networks", "one more network", (it) => (it.NetworkSettings.Networks.bridge = {})],
    ["networks", "the host's network", (it) => (it.HostConfig.NetworkMode = "host")],
    ["networks", "another address for a name", (it) => (it.HostConfig.ExtraHosts = ["backend:192.0.2.1"])],
  ])("%s: %s", async (fact, _, spoil) => {
    spoil(host.containers.custody);
    expect(await host.found()).toEqual([`START_CONTAINER_CHANGED containers.custody.${fact}`]);
  });

  it("with both values and what to do", async () => {
    host.containers.custody.Image = `sha256:${"b".repeat(64)}`;
    const [finding] = (await host.check()).findings;
    expect(finding?.message).toContain("a".repeat(64));
    expect(finding?.message).toContain("b".repeat(64));
    expect(finding?.fix).toMatch(/trustkern deploy/);
  });

  it("without characters that a terminal would obey", async () => {
    host.containers.custody.Config.Env.push("A=\u001b[2J");
    const [finding] = (await host.check()).findings;
    expect(finding?.message).not.toContain("\u001b");
  });

  it("together with everything else that is wrong", async () => {
    host.containers.custody.Config.User = "0:0";
    delete host.containers.broker;
    rmSync(host.at("config/custody/config.json"));
    expect((await host.found()).toSorted()).toEqual([
      "START_CONTAINER_CHANGED containers.custody.user",
      "START_CONTAINER_MISSING containers.broker",
      "START_FILE_CHANGED config/custody/config.json",
    ]);
  });
});

describe("a container that the manifest does not name is found", () => {
  const stranger = (spoil: Spoil) => {
    const container = inspectable("stranger", "/srv/other");
    container.Config.Labels = null;
    container.NetworkSettings.Networks = {};
    spoil(container);
    host.containers.stranger = container;
  };

  const device =
    (path: string, rights = "rw"): Spoil =>
    (it) => {
      it.HostConfig.Devices = [{ PathOnHost: path, CgroupPermissions: rights }];
    };

  it.each<[what: string, spoil: Spoil]>([
    ["a label of the deployment", (it) => (it.Config.Labels = { "trustkern.state": "0123456789abcdef" })],
    ["the state directory", (it) => (it.Mounts[0].Source = host.place.layout.dir)],
    ["a folder in it", (it) => (it.Mounts[0].Source = host.at("volumes/custody"))],
    ["the sockets", (it) => (it.Mounts[0].Source = host.place.layout.runDir)],
    ["the whole disk", (it) => (it.Mounts[0].Source = "/")],
    ["a network of the deployment", (it) => (it.NetworkSettings.Networks = { "demo-kem": {} })],
    ["the socket of custody's token", (it) => (it.Mounts[0].Source = "/run/trustkern-demo-custody/sock")],
    ["the folder of that", (it) => (it.Mounts[0].Source = "/run/trustkern-demo-custody")],
    ["the folder of all sockets", (it) => (it.Mounts[0].Source = "/run")],
    ["Docker's socket", (it) => (it.Mounts[0].Source = "/var/run/docker.sock")],
    ["the TPM", (it) => (it.HostConfig.Devices = [{ PathOnHost: "/dev/tpmrm0", CgroupPermissions: "rw" }])],
    ["every right", (it) => (it.HostConfig.Privileged = true)],
    ["the host's processes", (it) => (it.HostConfig.PidMode = "host")],
    ["the right to trace", (it) => (it.HostConfig.CapAdd = ["CAP_SYS_PTRACE"])],
    ["custody's processes", (it) => (it.HostConfig.PidMode = `container:${host.containers.custody.Id}`)],
    ["custody's network", (it) => (it.HostConfig.NetworkMode = "container:custody")],
    ["the processes of the host", (it) => (it.Mounts[0].Source = "/proc")],
    ["the root of a process", (it) => (it.Mounts[0].Source = "/proc/1/root")],
    ["the devices of the host", (it) => (it.Mounts[0].Source = "/dev")],
    ["a disk as a file", (it) => (it.Mounts[0].Source = "/dev/vda")],
    ["the engine's folder", (it) => (it.Mounts[0].Source = "/var/lib/docker")],
    ["a folder of the engine", (it) => (it.Mounts[0].Source = "/var/lib/docker/overlay2")],
    ["a folder above the engine's", (it) => (it.Mounts[0].Source = "/var/lib")],
    ["the socket below the engine", (it) => (it.Mounts[0].Source = "/run/containerd/containerd.sock")],
    ["another engine's socket", (it) => (it.Mounts[0].Source = "/run/user/0/podman/podman.sock")],
    ["the host's programs, to write", (it) => (it.Mounts[0].Source = "/etc/cron.d")],
    ["a folder above the host's programs", (it) => (it.Mounts[0].Source = "/var/spool")],
    ["a disk", device("/dev/vda", "rwm")],
    ["a disk by another name", device("/dev/mapper/data")],
    ["every device", device("/dev")],
    ["the host's memory", device("/dev/mem", "r")],
    ["a rule for disks", (it) => (it.HostConfig.DeviceCgroupRules = ["b *:* rwm"])],
    ["a rule for one device", (it) => (it.HostConfig.DeviceCgroupRules = ["c 10:224 rw"])],
    ["the host's shared memory", (it) => (it.HostConfig.IpcMode = "host")],
    ...["BPF", "CAP_BPF", "PERFMON", "MKNOD", "SYS_ADMIN", "DAC_READ_SEARCH", "CHECKPOINT_RESTORE"].map(
      (capability): [string, Spoil] => [`the right ${capability}`, (it) => (it.HostConfig.CapAdd = [capability])],
    ),
    [
      "the host's network and the right to change it",
      (it) => Object.assign(it.HostConfig, { NetworkMode: "host", CapAdd: ["CAP_NET_ADMIN"] }),
    ],
  ])("with %s", async (_, spoil) => {
    stranger(spoil);
    expect(await host.found()).toEqual(["START_CONTAINER_EXTRA containers.stranger"]);
  });

  it("with a volume that is a bind of the deployment's", async () => {
    stranger((it) =>
      Object.assign(it.Mounts[0], { Type: "volume", Name: "v", Source: "/var/lib/docker/volumes/v/_data" }),
    );
    expect(await host.found()).toEqual([]);
    host.volumes.push({ Name: "v", Options: { type: "none", o: "bind", device: host.at("volumes/custody/keys") } });
    expect(await host.found()).toEqual(["START_CONTAINER_EXTRA containers.stranger"]);
  });

  it("with a link to the deployment's folder", async () => {
    mkdirSync(host.at("volumes"), { recursive: true });
    const link = join(tmpdir(), `tk-link-${randomUUID()}`);
    symlinkSync(host.at("volumes"), link);
    stranger((it) => (it.Mounts[0].Source = link));
    const found = await host.found();
    rmSync(link);
    expect(found).toEqual(["START_CONTAINER_EXTRA containers.stranger"]);
  });

  it("and not for what every container may see, nor for what it may only read of the host's programs", async () => {
    for (const [source, writable] of [
      ["/dev/null", true],
      ["/etc/localtime", false],
      ["/var/lib/docker/volumes/other/_data", true],
      ["/var/lib/dockers", true],
    ] as const) {
      stranger((it) => Object.assign(it.Mounts[0], { Source: source, RW: writable }));
      expect([source, await host.found()]).toEqual([source, []]);
    }
  });

  it("and not for another token's socket, another device or another right", async () => {
    stranger((it) => {
      it.Mounts[0].Source = "/run/trustkern-other-custody";
      it.HostConfig.Devices = [{ PathOnHost: "/dev/tpmrm00", CgroupPermissions: "rw" }];
      it.HostConfig.CapAdd = ["CAP_NET_BIND_SERVICE"];
    });
    expect(await host.found()).toEqual([]);
  });

  it("and not for a folder whose name only begins the same way", async () => {
    stranger((it) => {
      it.Mounts[0].Source = `${host.place.layout.dir}-other`;
    });
    expect(await host.found()).toEqual([]);
  });
});

describe("a configuration file that was changed is found", () => {
  it.each<[what: string, change: (path: string) => void]>([
    ["other bytes", (path) => writeFileSync(path, '{"unseal":"at-start"}')],
    ["no bytes", (path) => writeFileSync(path, "")],
    ["no file", (path) => rmSync(path)],
  ])("%s", async (_, change) => {
    change(host.at("config/custody/config.json"));
    expect(await host.found()).toEqual(["START_FILE_CHANGED config/custody/config.json"]);
  });
});

describe("a manifest is refused", () => {
  const text = () => readFileSync(files.manifest, "utf8");

  it("that is not there", async () => {
    rmSync(files.manifest);
    expect(await host.found()).toEqual([`START_MANIFEST_MISSING ${files.manifest}`]);
  });

  it("that nobody's key is pinned for", async () => {
    rmSync(files.signer);
    expect(await host.found()).toEqual([`START_MANIFEST_MISSING ${files.signer}`]);
  });

  it.each([0, 1, 10, 100, -2])("that is torn after %i characters", async (length) => {
    writeFileSync(files.manifest, text().slice(0, length));
    expect(await host.found()).toEqual([`START_MANIFEST_MALFORMED ${files.manifest}`]);
  });

  it("that says something else than was signed", async () => {
    const envelope = JSON.parse(text());
    const forged = Buffer.from(envelope.payload, "base64").toString().replace("10001:10001", "0:0");
    writeFileSync(files.manifest, JSON.stringify({ ...envelope, payload: Buffer.from(forged).toString("base64") }));
    expect(await host.found()).toEqual([`START_SIGNER_DIFFERS ${files.manifest}`]);
  });

  it("of another signer", async () => {
    const other = testHost();
    await other.deploy();
    copyFileSync(trustFiles(other.place.layout).manifest, files.manifest);
    other.end();
    expect(await host.found()).toEqual([`START_SIGNER_DIFFERS ${files.manifest}`]);
  });

  it("of another signer, also where that one's key was pinned instead, once a fingerprint was kept elsewhere", async () => {
    const kept = fingerprintOf(pinnedStartKey(host.place.layout)!);
    expect(await host.found({ signer: kept })).toEqual([]);
    for (const file of [files.signer, files.key, files.seen]) rmSync(file);
    await host.deploy();
    expect(await host.found()).toEqual([]);
    expect(await host.found({ signer: kept })).toEqual([`START_SIGNER_DIFFERS ${files.signer}`]);
  });

  it.each<[what: string, changes: Partial<StartCheck>]>([
    ["deployment", { deployment: { name: "other", tenant: "acme" } }],
    ["tenant", { deployment: { name: "demo", tenant: "other" } }],
    ["state directory", { label: ["trustkern.state", "fedcba9876543210"] }],
  ])("of another %s", async (_, changes) => {
    const [first] = await host.found(changes);
    expect(first).toBe(`START_MANIFEST_FOREIGN ${files.manifest}`);
  });

  it("that is older than one that was signed here", async () => {
    const old = text();
    await host.deploy();
    writeFileSync(files.manifest, old);
    expect(await host.found()).toEqual([`START_MANIFEST_OLD ${files.manifest}`]);
  });

  it("that is older than one that custody was unsealed for", async () => {
    const [old, seen] = [text(), readFileSync(files.seen)];
    await host.deploy();
    writeFileSync(files.seen, seen);
    await unseal();
    writeFileSync(files.manifest, old);
    expect(await host.found()).toEqual([`START_MANIFEST_OLD ${files.manifest}`]);
  });

  it("of a version that another one had", async () => {
    const seen = JSON.parse(readFileSync(files.seen, "utf8"));
    writeFileSync(files.seen, JSON.stringify({ ...seen, sha256: "0".repeat(64) }));
    expect(await host.found()).toEqual([`START_MANIFEST_OLD ${files.manifest}`]);
  });

  it.each(["", "{}", '{"version":0,"sha256":""}'])("where the newest one is not to be told: %j", async (spoilt) => {
    writeFileSync(files.seen, spoilt);
    expect(await host.found()).toEqual([`START_STATE_CORRUPT ${files.seen}`]);
  });
});

describe("a check", () => {
  it("changes nothing, so that it may be done for a look", async () => {
    rmSync(files.seen);
    await host.check();
    expect(existsSync(files.seen)).toBe(false);
  });

  it("goes on to a higher version also where the newest one is forgotten", async () => {
    await host.deploy();
    rmSync(files.seen);
    expect(await host.deploy()).toBe(3);
  });
});
