import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Deployment } from "../../model/deployment.ts";
import { buildModel } from "../../modules/index.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { gatewayConfig } from "../../services/gateway/config.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { publishedPorts } from "../../stacks/docker/ports.ts";
import { kitAddress } from "./address.ts";
import { assertExportable, type KitRequest, kitFiles } from "./kit.ts";
import { packKit } from "./pack.ts";
import { kitPlatform } from "./platform.ts";

const TOKEN = `ge_${"s".repeat(54)}`;
const deployment: Deployment = {
  ...defaultDeployment(),
  engine: "docker",
  gatewaysElsewhere: ["gw-07"],
  ports: { "broker.mqtts": 18_883 },
};
const published = publishedPorts(buildModel(deployment, dockerPlacement(deployment)).components, deployment);
const folder = mkdtempSync(join(tmpdir(), "tk-kit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function requestFor(changes: Partial<KitRequest> = {}): KitRequest {
  return {
    ...{ deployment, name: "gw-07", platform: "linux-arm64", address: "192.0.2.1", published },
    sources: {
      program: Buffer.from("program"),
      probe: Buffer.from("probe"),
      node: join(folder, "node"),
      license: join(folder, "node"),
    },
    trust: { anchorsPem: "anchors\n", brokerPins: `${"ab".repeat(32)}\n`, backendKey: "04ff" },
    token: { token: TOKEN, expiresAt: "2027-03-08T08:00:00.000Z" },
    ...changes,
  };
}
const packed = (changes?: Partial<KitRequest>): Promise<Buffer> => packKit("gw-07", kitFiles(requestFor(changes)));

interface Entry {
  readonly mode: number | undefined;
  readonly mtime: number;
  readonly content: string;
}

async function entriesOf(kit: Buffer): Promise<ReadonlyMap<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of Readable.from([kit]).pipe(createGunzip()).pipe(extract())) {
    const { name, mode, mtime } = entry.header;
    entries.set(name, { mode, mtime: Number(mtime), content: await text(entry) });
  }
  return entries;
}

beforeAll(() => writeFileSync(join(folder, "node"), "#!/bin/sh\necho v26\n", { mode: 0o755 }));

describe("a kit", () => {
  it("has the token in one file that nobody else may read, and nowhere else", async () => {
    const entries = await entriesOf(await packed());
    const holding = [...entries].filter(([, { content }]) => content.includes("sss"));
    expect(holding.map(([name, { mode }]) => [name, mode])).toEqual([
      ["trustkern-gateway-gw-07/enrolment.token", 0o600],
    ]);
  });

  it("is the same bytes each time, but for its token, when that ends, and the sums of both", async () => {
    const [one, other] = await Promise.all([packed(), packed()]);
    expect(one.equals(other)).toBe(true);
    const token = { token: `ge_${"t".repeat(54)}`, expiresAt: "2027-03-09T08:00:00.000Z" };
    const [before, after] = await Promise.all([one, packed({ token })].map(async (kit) => entriesOf(await kit)));
    const changed = [...before!.keys()].filter((name) => before!.get(name)?.content !== after!.get(name)?.content);
    expect(changed).toEqual(
      ["README.md", "enrolment.token", "SHA256SUMS"].map((path) => `trustkern-gateway-gw-07/${path}`),
    );
    expect([...before!.values()].every(({ mtime }) => mtime === 0)).toBe(true);
  });

  it("has a configuration that the gateway takes, with the ports of the host and no certificate", async () => {
    const entries = await entriesOf(await packed());
    const config = gatewayConfig.parse(JSON.parse(entries.get("trustkern-gateway-gw-07/config.json")?.content ?? ""));
    expect(config).toMatchObject({
      name: "gw-07",
      coap: { hosts: ["0.0.0.0"], port: 5683 },
      broker: { host: "192.0.2.1", port: 18_883, servername: "broker.demo.trustkern.internal" },
      backend: { host: "192.0.2.1", port: 8443, servername: "backend.demo.trustkern.internal" },
      enrolment: { tokenFile: "/run/credentials/trustkern-gateway.service/enrolment.token" },
    });
    expect(config.metrics).toBeUndefined();
  });
});

describe("what is exported", () => {
  it.each<[string, Partial<Deployment>, string, string]>([
    ["a name that runs here", {}, "gw-01", "GATEWAY_KIT_NAME"],
    ["a name that nobody expects", {}, "gw-08", "GATEWAY_KIT_NAME"],
    ["anything of a deployment that issues nothing", { engine: "embedded" }, "gw-07", "GATEWAY_KIT_ENGINE"],
  ])("is not %s", (_, changes, name, code) => {
    expect(() => assertExportable(name, { ...deployment, ...changes })).toThrow(expect.objectContaining({ code }));
    expect(() => assertExportable("gw-07", deployment)).not.toThrow();
  });

  it.each(["linux", "linux-armv7", "arm64", "windows-amd64", ""])("is for no platform %j", (platform) => {
    expect(() => kitPlatform(platform)).toThrow(expect.objectContaining({ code: "GATEWAY_KIT_PLATFORM" }));
  });

  it.each(["127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::"])("does not name %s unasked", (publishAddress) => {
    const own = { docker: { ...deployment.docker, publishAddress } };
    expect(() => kitAddress(undefined, own)).toThrow(expect.objectContaining({ code: "GATEWAY_KIT_ADDRESS" }));
    expect(kitAddress("plant.example", own)).toBe("plant.example");
  });

  it.each(["a b", "-x", "http://x", "x:1", "x/y", "", "ä.example", `${"a".repeat(64)}.example`])(
    "names no address %j",
    (said) => {
      expect(() => kitAddress(said, deployment)).toThrow(expect.objectContaining({ code: "GATEWAY_KIT_ADDRESS" }));
    },
  );

  it("names the address that the host publishes at", () => {
    expect(kitAddress(undefined, { docker: { ...deployment.docker, publishAddress: "192.0.2.9" } })).toBe("192.0.2.9");
    expect(kitAddress("2001:db8::1", deployment)).toBe("2001:db8::1");
  });
});

describe("the installer", () => {
  const KEY = "-----BEGIN PRIVATE KEY-----\nkey\n-----END PRIVATE KEY-----\n";
  const CERTIFICATE = "-----BEGIN CERTIFICATE-----\ncrt\n-----END CERTIFICATE-----\n";
  let at: string;
  let kit: string;
  let card: string;

  beforeEach(async () => {
    at = mkdtempSync(join(folder, "i-"));
    card = join(at, "my card");
    writeFileSync(join(at, "kit.tar.gz"), await packed());
    execFileSync("tar", ["-xzf", "kit.tar.gz"], { cwd: at });
    kit = join(at, "trustkern-gateway-gw-07");
    writeFileSync(join(at, "device.key"), KEY);
    writeFileSync(join(at, "device.crt"), CERTIFICATE);
  });
  const install = (...args: readonly string[]): string =>
    execFileSync("sh", [join(kit, "install.sh"), ...args], { cwd: at, encoding: "utf8", stdio: "pipe" });
  const both = ["--device-key", "device.key", "--device-cert", "device.crt"];
  const installed = (path: string): string => join(card, path);
  const modeOf = (path: string): number => statSync(installed(path)).mode & 0o777;

  it("puts everything in its place, and what is secret where root alone reads it", () => {
    install("--root", card, ...both);
    for (const name of ["device.key", "device.crt", "enrolment.token"])
      expect(modeOf(`etc/trustkern-gateway/${name}`)).toBe(0o600);
    expect(modeOf("etc/trustkern-gateway/config.json")).toBe(0o644);
    expect(modeOf("opt/trustkern-gateway/bin/node")).toBe(0o755);
    expect(readFileSync(installed("etc/trustkern-gateway/device.key"), "utf8")).toBe(KEY);
    expect(statSync(installed("etc/systemd/system/trustkern-gateway.service")).isFile()).toBe(true);
  });

  it("keeps the device's key when it runs again, and takes the newer token", () => {
    install("--root", card, ...both);
    const sums = join(kit, "SHA256SUMS");
    const sum = (content: string): string => createHash("sha256").update(content).digest("hex");
    writeFileSync(join(kit, "enrolment.token"), "newer\n");
    writeFileSync(sums, readFileSync(sums, "utf8").replace(sum(`${TOKEN}\n`), sum("newer\n")));
    install("--root", card);
    expect(readFileSync(installed("etc/trustkern-gateway/device.key"), "utf8")).toBe(KEY);
    expect(readFileSync(installed("etc/trustkern-gateway/enrolment.token"), "utf8")).toBe("newer\n");
  });

  it.each<[string, readonly string[], () => void]>([
    ["no key and no certificate", [], () => undefined],
    ["no certificate", ["--device-key", "device.key"], () => undefined],
    ["a key file that holds none", both, () => writeFileSync(join(at, "device.key"), CERTIFICATE)],
    ["a certificate file that holds none", both, () => writeFileSync(join(at, "device.crt"), KEY)],
    ["a damaged program", both, () => writeFileSync(join(kit, "app/main.mjs"), "other")],
    ["a missing file", both, () => rmSync(join(kit, "broker.pins"))],
    ["an option that there is not", [...both, "--force"], () => undefined],
    ["an option without its value", ["--device-key"], () => undefined],
  ])("touches nothing with %s", (_, args, spoil) => {
    spoil();
    expect(() => install("--root", card, ...args)).toThrow();
    expect(() => statSync(card)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it.each(["none.key", "."])("says of a key %s that there is no such file, and nothing of its form", (key) => {
    const asked = () => install("--root", card, "--device-key", key, "--device-cert", "device.crt");
    expect(asked).toThrow(
      expect.objectContaining({ stderr: `install.sh: there is no file ${key}, or it cannot be read\n` }),
    );
    expect(() => statSync(card)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("is a script that any POSIX shell reads", () => {
    execFileSync("sh", ["-n", join(kit, "install.sh")]);
    chmodSync(join(kit, "install.sh"), 0o755);
    expect(readFileSync(join(kit, "install.sh"), "utf8")).not.toMatch(/\[\[|\blocal\b|<<<|function /);
  });
});
