import { X509Certificate } from "node:crypto";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueCrl } from "../../../certs/crl.ts";
import { type DeploymentCertificates, issueDeploymentCertificates } from "../../../certs/deployment.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { kemStatus } from "../../../custody/kem-status.ts";
import { Kem } from "../../../custody/proto/custody_pb.ts";
import { createMutualGrpc } from "../../runtime/grpc/mutual.ts";
import { createGrpcServer } from "../../runtime/grpc/server.ts";
import { listenTcp } from "../../runtime/listen.ts";
import type { SecurityEventInput } from "../../runtime/security-events.ts";
import { optionsOf, type Tls13Options } from "../../runtime/tls.ts";

/** Name that a custody broker's certificate has to carry. */
export const BROKER_NAME = "custody-broker.acme.trustkern.internal";

/** A PKI with everybody who can be met on the way to custody. */
export interface KemPki {
  readonly ca: string;
  /** Certificate and key by common name. */
  readonly pair: (name: string) => CertifiedKey;
  /** The lists of all authorities, with the certificates of these names on them. */
  readonly lists: (revoked?: readonly string[], now?: Date) => Promise<string>;
}

/** Makes one, at that time. */
export async function makeKemPki(tenant = "acme", now = new Date()): Promise<KemPki> {
  const made: DeploymentCertificates = await issueDeploymentCertificates({
    tenant,
    clock: () => now,
    services: ["svc-custody-broker", "svc-collector", "svc-backend"].map((name) => ({ name })),
    gateways: ["gw-01"],
    operators: ["op-admin"],
  });
  const pair = (name: string): CertifiedKey => {
    const leaf = made.leaves.find((each) => each.name === name);
    if (leaf === undefined) throw new Error(`no ${name}`);
    return leaf;
  };
  return {
    ca: made.root.certPem,
    pair,
    lists: async (revoked = [], at = new Date()) => {
      const serials = revoked.map((name) => new X509Certificate(pair(name).certPem).serialNumber);
      const entries = serials.map((serial) => ({ serial, at, reason: "keyCompromise" as const }));
      const authorities = [made.root, ...Object.values(made.intermediates)];
      const issued = authorities.map(async (authority) => {
        const mine = authority === made.root ? [] : entries;
        return (await issueCrl(await loadAuthority(authority), { number: 1n, revoked: mine, now: at })).pem;
      });
      return (await Promise.all(issued)).join("\n");
    },
  };
}

/** What somebody of a PKI shows, who trusts `ca` with these lists. */
export async function identityOf(pki: KemPki, name: string, changes: Partial<{ ca: string; crl: string }> = {}) {
  const { certPem: cert, keyPem: key } = pki.pair(name);
  return optionsOf({ ca: pki.ca, cert, key, crl: await pki.lists(), ...changes });
}

/** What a played broker does. */
export interface Played {
  /** What it shows and whom it trusts. */
  readonly tls: Tls13Options;
  readonly address?: string;
  /** @default a free one */
  readonly port?: number;
  /** What a batch is answered with; may throw. */
  readonly answer: (items: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** @default false */
  readonly sealed?: () => boolean;
}

/** A custody broker that is played by functions, over mutual TLS. */
export interface PlayedBroker {
  readonly port: number;
  readonly events: readonly SecurityEventInput[];
  /** Batches that it was asked to open. */
  readonly asked: () => number;
  /** How often it was asked how it is. */
  readonly looks: () => number;
  /** Dies, with what is under way. */
  readonly kill: () => void;
}

/** Starts one. */
export async function playBroker({
  tls,
  address = "127.0.0.1",
  port = 0,
  answer,
  sealed,
}: Played): Promise<PlayedBroker> {
  const events: SecurityEventInput[] = [];
  let [asked, looks] = [0, 0];
  const grpc = createGrpcServer({ maxMessageBytes: 50_000, statusOf: kemStatus });
  grpc.add(Kem, {
    decapsulate: async () => ({}),
    decapsulateBatch: async ({ items }) => {
      asked += 1;
      return { results: await answer(items) };
    },
    health: async () => {
      looks += 1;
      return { sealed: sealed?.() ?? false };
    },
  });
  const report = (event: SecurityEventInput): void => void events.push(event);
  const server = createMutualGrpc(grpc, {
    tls,
    client: "svc-collector",
    events: { report },
    onStranger: () => undefined,
  });
  const listening = await listenTcp(server, { hosts: [address], port });
  return {
    port: listening,
    events,
    asked: () => asked,
    looks: () => looks,
    kill: () => {
      server.close();
      grpc.close();
    },
  };
}
