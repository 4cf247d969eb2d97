import { expect, it } from "vitest";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { collectorConfig } from "./config.ts";

const file = (path: string): string => `/s/${path}`;
const { tenant } = defaultDeployment();
const config = {
  name: "collector",
  tenant,
  controlSocket: file("control"),
  broker: {
    host: "127.0.0.1",
    port: 8883,
    servername: "broker.acme.trustkern.internal",
    pinsFile: file("broker.pins"),
  },
  tls: { caFile: file("ca.crt"), certFile: file("tls.crt"), keyFile: file("tls.key") },
  database: { host: "127.0.0.1", port: 5432, database: "trustkern", user: "writer", passwordFile: file("password") },
  custody: { kind: "unix", socket: file("kem") },
  backend: { url: "https://127.0.0.1:8443", servername: "backend.acme.trustkern.internal" },
  backendKeyFile: file("backend.pub"),
  stateDir: "/v/state",
};

it.each([0.2, 2, 30])("fetches the allowlist every %d s where that is asked for", (allowlistSeconds) => {
  expect(collectorConfig.parse({ ...config, allowlistSeconds }).allowlistSeconds).toBe(allowlistSeconds);
});

it.each([0, -1, 30.1, 60, 3600])("refuses to fetch the allowlist every %d s", (allowlistSeconds) => {
  expect(collectorConfig.safeParse({ ...config, allowlistSeconds }).error?.issues).toMatchObject([
    { path: ["allowlistSeconds"] },
  ]);
});

it("fetches it every 2 s by itself", () => {
  expect(collectorConfig.parse(config).allowlistSeconds).toBe(2);
});

const overTls = {
  kind: "mtls",
  host: "custody-broker.tk-demo.svc",
  port: 7443,
  servername: "custody-broker.acme.trustkern.internal",
};
const withLists = { ...config.tls, crlFile: file("crl.pem") };
const issuesOf = (changes: object) => collectorConfig.safeParse({ ...config, ...changes }).error?.issues ?? [];

it("asks custody over mutual TLS with revocation lists", () => {
  const parsed = collectorConfig.parse({ ...config, tls: withLists, custody: overTls });
  expect([parsed.custody, parsed.tls]).toEqual([overTls, withLists]);
});

it("refuses to ask custody over mutual TLS without revocation lists", () => {
  expect(issuesOf({ custody: overTls })).toMatchObject([{ path: ["tls", "crlFile"] }]);
});

it.each([
  ["nothing", undefined, ["custody"]],
  ["a bare path", file("kem"), ["custody"]],
  ["another kind", { ...overTls, kind: "tls" }, ["custody", "kind"]],
  ["a socket over TLS", { ...overTls, socket: file("kem") }, ["custody"]],
  ["a name beside a socket", { kind: "unix", socket: file("kem"), servername: "x" }, ["custody"]],
  ["no socket", { kind: "unix", socket: "" }, ["custody", "socket"]],
  ["no name to verify", { ...overTls, servername: "" }, ["custody", "servername"]],
  ["no host", { ...overTls, host: undefined }, ["custody", "host"]],
  ["port 0", { ...overTls, port: 0 }, ["custody", "port"]],
])("refuses %s for custody", (_, custody, path) => {
  expect(issuesOf({ tls: withLists, custody })).toMatchObject([{ path }]);
});

it("does not know the member of before", () => {
  expect(issuesOf({ custodySocket: file("kem") })).toMatchObject([{ code: "unrecognized_keys" }]);
});
