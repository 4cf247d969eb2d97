import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { DeploymentCertificates } from "../../../certs/deployment.ts";
import { createGatewayConfiguration, type GatewayConfiguration } from "../../../protocol/gateway-configuration.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import { TrustKernError } from "../../../shared/errors.ts";
import { testPki } from "../../runtime/test-pki.ts";
import { gatewayErrors } from "../errors.ts";
import type { Documents } from "../store/documents.ts";
import type { BackendCall } from "./backend-client.ts";
import { type Configuration, createConfiguration } from "./configuration.ts";
import { createSync, type Sync } from "./sync.ts";

const backend = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PIN = "ab".repeat(32);
const NEXT = "cd".repeat(32);
const ALLOWLIST = { payload: "list" };
let pki: DeploymentCertificates;
let sync: Sync;
let configuration: Configuration;
let files: string;
let kept: Map<string, string>;
let taken: string[];
let news: unknown[];
let failures: (readonly [string, string])[];
let calls: BackendCall[];
let answer: (call: BackendCall) => unknown;

beforeAll(async () => {
  pki = await testPki();
});
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  [kept, taken, failures, calls, news] = [new Map(), [], [], [], []];
  answer = ({ path }) => {
    if (path === "/v1/gateway/allowlist") return ALLOWLIST;
    throw gatewayErrors.error("GATEWAY_BACKEND_ANSWER", "none", { path: "TRUST_NONE" });
  };
  files = "anchors and pins";
  configuration = open();
  sync = createSync({
    client: {
      call: async (call) => {
        calls.push(call);
        return answer(call);
      },
    },
    trust: { take: (dsse) => taken.push(dsse) },
    configuration,
    inForce: () => ({ anchors: ["aa", "bb"], pins: configuration.held()?.brokerPins ?? [] }),
    onConfiguration: () => news.push(configuration.held()?.version),
    intervalMs: 300_000,
    now: Date.now,
    onFailure: (document, thrown) =>
      failures.push([document, thrown instanceof TrustKernError ? thrown.code : String(thrown)]),
  });
});
afterEach(() => {
  sync.stop();
  vi.useRealTimers();
});

function open(): Configuration {
  const documents: Documents = { get: (name) => kept.get(name), put: (name, text) => void kept.set(name, text) };
  const onError = (error: unknown): void => void failures.push(["disk", String(error)]);
  return createConfiguration({
    gateway: "gw-01",
    backendKey: backend.publicKey,
    documents,
    files: () => files,
    onError,
  });
}

/** Has the backend answer for the configuration with that. */
function answerWith(body: unknown): void {
  answer = ({ path }) => (path.startsWith("/v1/gateway/configuration?") ? body : ALLOWLIST);
}

/** Has the backend answer with a configuration that it signed. */
async function serve(changes: Partial<GatewayConfiguration>, key = backend.privateKey): Promise<void> {
  const document = { audience: "gateway/gw-01", version: 1, issuedAtMs: 1, anchors: [], brokerPins: [] } as const;
  const gatewayAuthorities: readonly string[] = [];
  const dsse = await createGatewayConfiguration({ ...document, gatewayAuthorities, ...changes }, p256Signer(key));
  answerWith({ dsse });
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const paths = () => calls.map(({ path, anchors }) => [path, anchors?.length ?? 0]);

it("hands on the allowlist as it came, and takes the configuration's pins and anchors", async () => {
  await serve({ version: 3, brokerPins: [PIN, NEXT], anchors: [pki.root.certPem] });
  sync.refresh();
  await settle();
  expect(taken).toEqual([JSON.stringify(ALLOWLIST)]);
  expect(configuration.held()).toMatchObject({ version: 3, brokerPins: [PIN, NEXT], anchors: [pki.root.certPem] });
  expect(open().held()).toMatchObject({ version: 3, brokerPins: [PIN, NEXT] });
  expect(failures).toEqual([]);
});

it("takes new anchors only when the backend answers under them", async () => {
  await serve({ anchors: [pki.root.certPem] });
  const whole = answer;
  answer = (call) => {
    if (call.anchors) throw gatewayErrors.error("GATEWAY_BACKEND_AWAY", "another root");
    return whole(call);
  };
  sync.refresh();
  await settle();
  expect(configuration.held()).toBeNull();
  expect(failures).toEqual([["configuration", "GATEWAY_BACKEND_AWAY"]]);
  answer = whole;
  await settle(300_000);
  expect(configuration.held()?.anchors).toEqual([pki.root.certPem]);
  const tried = paths().filter(([, anchors]) => anchors === 1).length;
  await settle(300_000);
  expect(paths().filter(([, anchors]) => anchors === 1)).toHaveLength(tried);
});

it("tells the backend at once what it has in force, and at each fetch after it", async () => {
  const told = () => calls.flatMap(({ path }) => /configuration\?(.*)/.exec(path)?.[1] ?? []);
  const [before, now] = ["anchors=aa,bb&pins=", `anchors=aa,bb&pins=${PIN},${NEXT}`];
  await serve({ version: 3, brokerPins: [PIN, NEXT] });
  sync.refresh();
  await settle();
  expect([told(), news]).toEqual([[before, now], [3]]);
  await settle(300_000);
  expect([told(), news]).toEqual([[before, now, now], [3]]);
  files = "files of somebody who was here";
  await settle(300_000);
  expect([told().at(-1), news]).toEqual([before, [3]]);
});

it("does not say that it has what it refused", async () => {
  await serve({ version: 3, brokerPins: [PIN], anchors: [pki.root.certPem] });
  const whole = answer;
  answer = (call) => {
    if (call.anchors) throw gatewayErrors.error("GATEWAY_BACKEND_AWAY", "another root");
    return whole(call);
  };
  sync.refresh();
  await settle(600_000);
  expect(calls.filter(({ path }) => path.includes(PIN))).toEqual([]);
  expect(news).toEqual([]);
});

it("goes by its files while nobody has said what gateways are to trust", async () => {
  sync.refresh();
  await settle();
  expect([configuration.held(), failures, taken.length]).toEqual([null, [], 1]);
});

it.each([
  ["for another gateway", { audience: "gateway/gw-02" as const }, "GATEWAY_CONFIGURATION_AUDIENCE"],
  ["of a lower version", { version: 4 }, "GATEWAY_CONFIGURATION_ROLLBACK"],
  ["with an anchor that is none", { version: 6, anchors: [anchorOf("AAAA")] }, "Error"],
])("refuses a configuration %s, and keeps the one it has", async (_, changes, code) => {
  await serve({ version: 5, brokerPins: [PIN] });
  sync.refresh();
  await settle();
  await serve(changes);
  await settle(300_000);
  expect(configuration.held()).toMatchObject({ version: 5, brokerPins: [PIN] });
  expect(failures).toHaveLength(1);
  expect(failures[0]?.join()).toContain(code);
});

it.each([
  ["that another key signed", () => serve({}, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)],
  ["without an envelope", () => answerWith({})],
  ["that is null", () => answerWith(null)],
])("refuses a configuration %s", async (_, make) => {
  await make();
  const refused = paths().length;
  sync.refresh();
  await settle();
  expect(configuration.held()).toBeNull();
  expect(kept.size).toBe(0);
  expect(calls.length).toBeGreaterThan(refused);
});

it("does not use a configuration on disk that was tampered with, and says so", async () => {
  await serve({ brokerPins: [PIN] });
  sync.refresh();
  await settle();
  kept.set("configuration", (kept.get("configuration") ?? "").replace(/"payload":"../, '"payload":"AA'));
  expect(open().held()).toBeNull();
  expect(failures.map(([document]) => document)).toEqual(["disk"]);
});

it("goes by its files again once they were changed, until the backend says something newer", async () => {
  await serve({ version: 1, brokerPins: [PIN] });
  sync.refresh();
  await settle();
  files = "anchors and other pins";
  expect(configuration.held()).toBeNull();
  await settle(300_000);
  expect([configuration.held(), open().held()]).toEqual([null, null]);
  await serve({ version: 2, brokerPins: [NEXT] });
  await settle(300_000);
  expect(configuration.held()?.brokerPins).toEqual([NEXT]);
  expect(open().held()?.brokerPins).toEqual([NEXT]);
});

it("waits in silence while there is nothing to ask with, and asks within ten seconds of a token", async () => {
  const whole = answer;
  answer = () => {
    throw gatewayErrors.error("GATEWAY_BACKEND_PAUSED", "no token");
  };
  sync.refresh();
  await settle(3_600_000);
  expect(failures).toEqual([]);
  answer = whole;
  await settle(10_000);
  expect(taken).toHaveLength(1);
});

it("asks every five minutes, at once when told to, and never twice within ten seconds", async () => {
  sync.refresh();
  await settle();
  await settle(300_000);
  expect(taken).toHaveLength(2);
  for (let i = 0; i < 50; i += 1) {
    sync.refresh();
    await settle(100);
  }
  expect(taken).toHaveLength(2);
  await settle(5000);
  expect(taken).toHaveLength(3);
});

it("fetches the one document where the other fails, and nothing more once it is stopped", async () => {
  answer = ({ path }) => {
    if (path.endsWith("allowlist")) throw new Error("away");
    throw gatewayErrors.error("GATEWAY_BACKEND_ANSWER", "none", { path: "TRUST_NONE" });
  };
  sync.refresh();
  await settle();
  expect(paths()).toEqual([
    ["/v1/gateway/allowlist", 0],
    ["/v1/gateway/configuration?anchors=aa,bb&pins=", 0],
  ]);
  expect(failures).toEqual([["allowlist", "Error: away"]]);
  sync.stop();
  await settle(3_600_000);
  expect(calls).toHaveLength(2);
});

function anchorOf(base64: string): string {
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
