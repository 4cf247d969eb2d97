import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { issueRoot } from "../../../certs/classes/root.ts";
import { createGatewayConfiguration } from "../../../protocol/gateway-configuration.ts";
import { p256Signer } from "../../../protocol/signature.ts";
import type { DocumentName } from "../store/documents.ts";
import { createConfiguration } from "./configuration.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const backendKey = createPublicKey(privateKey);
const pin = "ab".repeat(32);
let anchor = "";

beforeAll(async () => {
  anchor = (await issueRoot({ tenant: "acme", now: new Date() })).authority.certPem;
});

const signed = (version: number): Promise<string> =>
  createGatewayConfiguration(
    {
      audience: "gateway/gw-01",
      version,
      issuedAtMs: Date.now(),
      anchors: [anchor],
      brokerPins: [pin],
      gatewayAuthorities: [],
    },
    p256Signer(privateKey),
  );

function rig() {
  const stored = new Map<DocumentName, string>();
  const disk = { files: "anchors of the installation" };
  const open = () =>
    createConfiguration({
      gateway: "gw-01",
      backendKey,
      documents: { get: (name) => stored.get(name), put: (name, text) => void stored.set(name, text) },
      files: () => disk.files,
      onError: (error) => {
        throw error;
      },
    });
  return { open, disk, stored };
}

it("lets the backend's word count before the files that it was taken over, also after a restart", async () => {
  const { open } = rig();
  const configuration = open();
  configuration.take(await signed(1));
  expect(configuration.held()?.brokerPins).toEqual([pin]);
  expect(open().held()?.brokerPins).toEqual([pin]);
});

it("lets files that were changed afterwards count, until the backend has a newer word", async () => {
  const { open, disk } = rig();
  const configuration = open();
  const first = await signed(1);
  configuration.take(first);
  disk.files = "anchors of a rotation";
  expect(configuration.held()).toBeNull();
  configuration.take(first);
  expect(configuration.held()).toBeNull();
  expect(open().held()).toBeNull();
  configuration.take(await signed(2));
  expect(configuration.held()?.version).toBe(2);
});

it("lets the files count where a death came between the copy and the note of what it was taken over", async () => {
  const { open, stored } = rig();
  open().take(await signed(1));
  stored.delete("configuration-over");
  expect(open().held()).toBeNull();
});

it("refuses an older copy, and keeps what it has", async () => {
  const { open } = rig();
  const configuration = open();
  configuration.take(await signed(2));
  expect(() => configuration.take("{}")).toThrow();
  const older = await signed(1);
  expect(() => configuration.take(older)).toThrow(
    expect.objectContaining({ code: expect.stringContaining("ROLLBACK") }),
  );
  expect(configuration.held()?.version).toBe(2);
});
