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
  custodySocket: file("kem"),
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
