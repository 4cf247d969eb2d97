import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { tellBackend } from "./renew.ts";

const AUTHORITY = "0a".repeat(32);
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-renew-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** What the backend is told of gateways. */
async function told(): Promise<unknown> {
  const bodies = new Map<string, unknown>();
  const pki = {
    brokerKeys: { read: () => ({ current: "c", next: "n", previous: "c" }) },
    store: {
      anchors: () => ["root"],
      issuers: () => [],
      fingerprint: (name: string) => name === "gateways" && AUTHORITY,
    },
    crls: { own: () => [] },
  };
  const site = { pki, layout: { dir } } as unknown as Parameters<typeof tellBackend>[0];
  await tellBackend(site, async (_, path, body) => void bodies.set(path, body));
  return bodies.get("/v1/trust");
}

it("tells the backend whose leaves gateways may keep, beside anchors and pins", async () => {
  expect(await told()).toEqual({ anchors: ["root"], broker_pins: ["c", "n"], gateway_authorities: [AUTHORITY] });
});

it.each(["{}", "", '{"schema":"trustkern.rotation/1"}'])(
  "leaves that to a rotation that has begun: its journal is %j",
  async (journal) => {
    writeFileSync(join(dir, "rotation.json"), journal);
    expect(await told()).toEqual({ anchors: ["root"], broker_pins: ["c", "n"] });
  },
);
