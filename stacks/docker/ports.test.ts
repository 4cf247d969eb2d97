import { expect, it } from "vitest";
import { type Component, component } from "../../model/component.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import { publishedPorts } from "./ports.ts";

const listening = (name: string, port: number, protocol: "tcp" | "udp" = "tcp", publish = true): Component =>
  component({
    name,
    zone: "ingress",
    holds: [],
    ports: [{ name: "p", port, protocol, publish }],
    files: [],
    health: { kind: "exit", startupSeconds: 1 },
    limits: { memoryMiB: 1, pids: 1, cpus: 1 },
    network: true,
  });
const numbers = (components: readonly Component[], ports: Readonly<Record<string, number>> = {}) =>
  publishedPorts(components, { ...defaultDeployment(), ports }).map(({ component: name, external }) => [
    name,
    external,
  ]);

it("takes the usual number where nobody asks for another", () => {
  expect(numbers([listening("a", 8883)])).toEqual([["a", 8883]]);
  expect(numbers([listening("a", 8883)], { "a.p": 0 })).toEqual([["a", 8883]]);
});

it("takes the number that trustkern.yaml asks for", () => {
  expect(numbers([listening("a", 8883)], { "a.p": 18_883 })).toEqual([["a", 18_883]]);
});

it("publishes no port that the component keeps to itself, and refuses a number for it", () => {
  const kept = [listening("a", 5432, "tcp", false)];
  expect(numbers(kept)).toEqual([]);
  expect(numbers(kept, { "a.p": 0 })).toEqual([]);
  expect(() => numbers(kept, { "a.p": 5432 })).toThrow(expect.objectContaining({ code: "DOCKER_PORT_UNPUBLISHED" }));
});

it("gives a second component of one number the next", () => {
  expect(numbers([listening("a", 5683, "udp"), listening("b", 5683, "udp")])).toEqual([
    ["a", 5683],
    ["b", 5684],
  ]);
});

it("gives nobody the number that another asks for, not even an earlier one", () => {
  expect(numbers([listening("a", 8443), listening("b", 9000)], { "b.p": 8443 })).toEqual([
    ["a", 8444],
    ["b", 8443],
  ]);
});

it("lets TCP and UDP have one number", () => {
  expect(numbers([listening("a", 53), listening("b", 53, "udp")])).toEqual([
    ["a", 53],
    ["b", 53],
  ]);
});

it("refuses two that ask for one number", () => {
  expect(() => numbers([listening("a", 1), listening("b", 2)], { "a.p": 7, "b.p": 7 })).toThrow(
    expect.objectContaining({ code: "DOCKER_PORTS_SAME" }),
  );
});

it("refuses to go beyond the last port", () => {
  expect(() => numbers([listening("a", 65_535), listening("b", 65_535)])).toThrow(
    expect.objectContaining({ code: "DOCKER_PORTS_FULL" }),
  );
});
