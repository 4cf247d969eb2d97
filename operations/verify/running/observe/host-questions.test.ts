import { expect, it } from "vitest";
import { rendered } from "../test-observation.ts";
import { good } from "../test-weakenings.ts";
import { hostAttempts } from "./host-questions.ts";

const { model, plan } = rendered;
const ground = { model, plan, components: good.components, inside: good.inside };
const published = plan.containers.flatMap(({ ports }) => ports.map(({ external }) => external))[0] ?? 0;
const LISTENERS = [
  { protocol: "tcp" as const, address: "0.0.0.0", port: 22 },
  { protocol: "tcp" as const, address: "::", port: 22 },
  { protocol: "tcp" as const, address: "192.0.2.7", port: 5000 },
  { protocol: "tcp" as const, address: "127.0.0.1", port: 6000 },
  { protocol: "tcp" as const, address: "::1", port: 6001 },
  { protocol: "udp" as const, address: "0.0.0.0", port: 53 },
  { protocol: "tcp" as const, address: "0.0.0.0", port: published },
];
const tried = (listeners: typeof LISTENERS | undefined) =>
  hostAttempts("broker", ground, 20_000, listeners && { listeners }).map(({ target }) => target);

it("tries what listens on the host at every address of it that the container has, or at its own", () => {
  const targets = tried(LISTENERS);
  const gateways = new Set(targets.filter(({ port }) => port === 20_000).map(({ host }) => host));
  expect(gateways.size).toBeGreaterThan(1);
  expect(targets.filter(({ port }) => port === 22).map(({ host }) => host)).toEqual([...gateways]);
  expect(targets.filter(({ port }) => port === 5000)).toEqual([{ host: "192.0.2.7", port: 5000, protocol: "tcp" }]);
});

it("leaves out loopback, what is published, and UDP but for the helper's own", () => {
  const ports = tried(LISTENERS).map(({ protocol, port }) => `${protocol} ${port}`);
  expect(new Set(ports)).toEqual(new Set(["tcp 20000", "udp 20000", "tcp 22", "tcp 5000"]));
  expect(new Set(tried(undefined).map(({ port }) => port))).toEqual(new Set([20_000]));
});
