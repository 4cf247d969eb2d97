import { expect, it } from "vitest";
import { tlsFlows } from "../../running/observe/tls-shows.ts";
import { good, ground, judge } from "./test-observation.ts";
import { portsWithoutFlow, versionsOf } from "./unasked-ports.ts";

const { model } = ground;
const lonely = { ...model, flows: model.flows.filter(({ to, port }) => `${to}.${port}` !== "prometheus.https") };
const [port] = portsWithoutFlow(lonely).filter(({ component }) => component.name === "prometheus");
if (port === undefined) throw new Error("prometheus has no port");
const attempts = versionsOf(
  { ...port, at: { host: "127.0.0.1", port: 1, servername: "x" } },
  { roots: "r", forged: good as never, own: () => ({ cert: { file: "a" }, key: { file: "b" } }), revoked: undefined },
);
const spoken = (old: string) => {
  const tls = attempts.map((one) => {
    const version = one.shows === "host" ? "TLSv1.3" : old;
    return { ...one, answer: { outcome: "refused" as const, version, why: "alert" } };
  });
  return judge({ tls: [...good.tls, ...tls] }).find(({ id }) => id === "running.tls.version");
};

it("names every TCP port that no flow with TLS leads to, and no other", () => {
  const asked = new Set(tlsFlows(lonely).map((flow) => `${flow.to}.${flow.port}`));
  const tcp = model.components.flatMap(({ name, ports }) =>
    ports.filter(({ protocol }) => protocol === "tcp").map((one) => `${name}.${one.name}`),
  );
  const without = portsWithoutFlow(lonely).map((one) => `${one.component.name}.${one.port.name}`);
  expect(without).toContain("prometheus.https");
  expect(without).toEqual(tcp.filter((one) => !asked.has(one)));
});

it("shows the newest version and the old ones, with the component's own certificate", () => {
  expect(attempts.map(({ shows }) => shows)).toEqual(["host", "old-version"]);
  expect(attempts.every(({ handshake }) => handshake.key !== undefined)).toBe(true);
  expect(attempts[1]?.handshake.maxVersion).toBe("TLSv1.2");
});

it("is broken where such a port speaks TLS 1.2, and proven where it does not", () => {
  expect(spoken("")?.outcome).toBe("proven");
  expect(spoken("TLSv1.2")).toMatchObject({ outcome: "broken", findings: [{ code: "RUNNING_TLS_VERSION" }] });
});
