import fc from "fast-check";
import { expect, it } from "vitest";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { ACCESS } from "../../protocol/topics.ts";
import { referencePlacement } from "../reference-placement.ts";
import { renderAcl } from "./acl.ts";
import { broker } from "./component.ts";
import { type MosquittoConf, renderMosquittoConf } from "./mosquitto-conf.ts";

const conf: MosquittoConf = {
  hosts: ["0.0.0.0"],
  port: 8883,
  liveDir: "/run/broker",
  aclFile: "/c/acl",
  stateDir: "/v/state",
  memoryMiB: 512,
};
const docker = { ...defaultDeployment(), engine: "docker" } as const;

it("has a rule for each row of the access table and each of its ends, and none that both reads and writes", () => {
  const rules = renderAcl("acme", ["gw-01"])
    .split("\n")
    .filter((line) => line.startsWith("topic "));
  const ends = ACCESS.flatMap(({ publish, subscribe }) => [publish, ...subscribe]);
  expect(rules).toHaveLength(ends.length + 2);
  expect(rules.every((rule) => /^topic (read|write) (tk\/v1\/|\$CONTROL\/)/.test(rule))).toBe(true);
});

it("gives a gateway no wildcard in place of its name", () => {
  const block = renderAcl("acme", ["gw-01"]).split("\n\n")[0];
  expect(block).toMatch(/^user CN=gw-01,OU=gateways,O=acme\n/);
  expect(block).not.toContain("tk/v1/+");
});

it("lets nobody but the broker itself command it", () => {
  const blocks = renderAcl("acme", ["gw-01"])
    .split("\n\n")
    .filter((block) => block.includes("$"));
  expect(blocks).toEqual([expect.stringMatching(/^user CN=svc-broker,OU=services,O=acme\n/)]);
});

it("offers TLS 1.3 with AEAD suites alone, and reads revocations from where its guard writes them", () => {
  const lines = renderMosquittoConf(conf).split("\n");
  const suites = lines
    .find((line) => line.startsWith("ciphers_tls1.3 "))
    ?.slice(15)
    .split(":");
  expect(suites?.length).toBeGreaterThan(0);
  expect(suites?.every((suite) => /^TLS_.*(?:GCM|POLY1305)_SHA/.test(suite))).toBe(true);
  for (const line of ["tls_version tlsv1.3", "require_certificate true", "crlfile /v/state/crl.pem"])
    expect(lines).toContain(line);
});

it.each([
  ["acme", ["gw-01", "svc-collector"]],
  ["acme", ["gw-+"]],
  ["acme", ["gw-#"]],
  ["acme", ["gw-01\ntopic read #"]],
  ["acme", ["gw-01,OU=services"]],
  ["acme\n", []],
  ["", []],
])("refuses tenant %j with gateways %j", (tenant, gateways) => {
  expect(() => renderAcl(tenant, gateways)).toThrow(expect.objectContaining({ code: "MOSQUITTO_VALUE_INVALID" }));
});

it("says all wrong values at once", () => {
  expect(() => renderMosquittoConf({ ...conf, hosts: ["a b"], aclFile: "" })).toThrow(/hosts.*aclFile/);
});

it.each(["/s/a\nallow_anonymous true", "/s/a\r", " /s/a", "/s/a ", ""])("refuses path %j", (liveDir) => {
  expect(() => renderMosquittoConf({ ...conf, liveDir })).toThrow(
    expect.objectContaining({ code: "MOSQUITTO_VALUE_INVALID", path: "liveDir" }),
  );
});

it("has the same settings, in number and name, whatever the paths", () => {
  const names = (text: string) => text.split("\n").map((line) => line.split(" ")[0]);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (rest) => {
      try {
        expect(names(renderMosquittoConf({ ...conf, stateDir: `/${rest}` }))).toEqual(names(renderMosquittoConf(conf)));
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: "MOSQUITTO_VALUE_INVALID" });
      }
    }),
  );
});

it("knows the rogue gateway only where sensors are simulated", () => {
  const placement = { ...referencePlacement(docker), configFile: (_: string, file: string) => `/c/${file}` };
  const paths = { secretFile: (_: string, name: string) => `/s/${name}`, volumeDir: () => "/v" };
  const acl = (sensors: number) => {
    const { files } = broker({ ...docker, simulator: { sensors, ratePerSecond: 1 } }, { ...placement, ...paths });
    return files.find(({ path }) => path === "/c/acl")?.content;
  };
  expect(acl(1)).toContain("CN=gw-rogue,");
  expect(acl(0)).not.toContain("CN=gw-rogue,");
  expect(acl(0)).toContain("CN=gw-01,");
});

const linesOf = (changes: Partial<MosquittoConf>): readonly string[] =>
  renderMosquittoConf({ ...conf, ...changes }).split("\n");
/** Settings of the listener on a port, up to the next listener. */
function listenerOn(lines: readonly string[], port: number): readonly string[] {
  const start = lines.findIndex((line) => line.startsWith(`listener ${port} `));
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith("listener "));
  return start === -1 ? [] : lines.slice(start, length === -1 ? undefined : start + 1 + length);
}

it("gives an identity one connection, and several on the port for services alone, where it accepts nobody else", () => {
  const lines = linesOf({ servicesPort: 8884 });
  const [usual, services] = [listenerOn(lines, 8883), listenerOn(lines, 8884)];
  expect(usual).toContain("use_username_as_clientid true");
  expect(usual).toContain("crlfile /v/state/crl.pem");
  expect(services.join("\n")).not.toContain("use_username_as_clientid");
  expect(services).toContain("crlfile /v/state/crl-services.pem");
  expect(services).not.toContain("crlfile /v/state/crl.pem");
  for (const line of ["require_certificate true", "use_subject_as_username true", "tls_version tlsv1.3"])
    expect(services).toContain(line);
});

it("has no port for services where nobody asks for one", () => {
  expect(linesOf({}).filter((line) => line.startsWith("listener "))).toEqual(["listener 8883 0.0.0.0"]);
  expect(linesOf({}).join("\n")).not.toContain("crl-services");
});

it.each([0, -1, 1.5, 100_000])("refuses %d as the port for services", (servicesPort) => {
  expect(() => linesOf({ servicesPort })).toThrow(
    expect.objectContaining({ code: "MOSQUITTO_VALUE_INVALID", path: "servicesPort" }),
  );
});

it("has the port for services on Kubernetes alone, publishes it nowhere, and has its guard look after it", () => {
  const partsOf = (engine: "docker" | "kubernetes") => {
    const deployment = { ...defaultDeployment(), engine };
    const { ports, files } = broker(deployment, referencePlacement(deployment));
    const guard = JSON.parse(files.find(({ path }) => path.endsWith("config.json"))?.content ?? "{}");
    const text = files.find(({ path }) => path.endsWith("mosquitto.conf"))?.content ?? "";
    return [
      ports.find(({ name }) => name === "mqtts-services"),
      guard.servicesListener?.port,
      text.includes("listener 8884 "),
    ];
  };
  expect(partsOf("docker")).toEqual([undefined, undefined, false]);
  expect(partsOf("kubernetes")).toEqual([{ name: "mqtts-services", port: 8884, protocol: "tcp" }, 8884, true]);
});
