import { describe, expect, test } from "vitest";
import { createLatecomers } from "./latecomers.ts";

const GATEWAY = "CN=gw-01,OU=gateways,O=acme";
const RELOAD = "2026-11-21T17:50:00+0000: Reloading config.";
const opened = (address: string) => `2026-11-21T17:50:00+0000: New connection from ${address} on port 8883.`;
const connected = (address: string, user = GATEWAY) =>
  `2026-11-21T17:50:01+0000: New client connected from ${address} as ${user} (p2, c1, k60, u'${user}').`;

function heard(...lines: readonly string[]) {
  const latecomers = createLatecomers();
  for (const line of lines) latecomers.hear(line);
  return latecomers;
}

describe("who connected with a handshake from before a reload", () => {
  test("is named, once", () => {
    const latecomers = heard(opened("10.0.0.1:5000"), RELOAD, connected("10.0.0.1:5000"));
    expect(latecomers.take()).toEqual([GATEWAY]);
    expect(latecomers.take()).toEqual([]);
  });

  test("is told from others that came from the same host", () => {
    const other = "CN=gw-02,OU=gateways,O=acme";
    const lines = [opened("[::1]:1"), RELOAD, opened("[::1]:2"), connected("[::1]:2"), connected("[::1]:1", other)];
    expect(heard(...lines).take()).toEqual([other]);
  });

  test("is named also where two reloads lie in between", () => {
    expect(heard(opened("a:1"), RELOAD, RELOAD, connected("a:1")).take()).toEqual([GATEWAY]);
  });

  test("is named where its address was forgotten among too many", () => {
    const many = Array.from({ length: 10_001 }, (_, port) => opened(`a:${port}`));
    expect(heard(RELOAD, ...many, connected("a:0")).take()).toEqual([GATEWAY]);
    expect(heard(RELOAD, ...many, connected("a:1")).take()).toEqual([]);
  });
});

describe("nobody is late", () => {
  test.each([
    ["before any reload", [opened("a:1"), connected("a:1")]],
    ["who connected before it", [opened("a:1"), connected("a:1"), RELOAD]],
    ["who came after it", [RELOAD, opened("a:1"), connected("a:1")]],
    ["whose address was used before it", [opened("a:1"), RELOAD, opened("a:1"), connected("a:1")]],
    ["who never sent CONNECT", [opened("a:1"), RELOAD, "Socket error on client <unknown>, disconnecting."]],
  ])("%s", (_, lines) => {
    expect(heard(...lines).take()).toEqual([]);
  });
});
