import { X509Certificate } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../../shared/errors.ts";
import { transaction } from "../registry/database.ts";
import { attributeOf } from "../revocation/chain.ts";
import { revocationErrors } from "../revocation/errors.ts";

/** What gateways are to trust. */
export interface GatewayTrust {
  /** Grows with every change, from 1. */
  readonly version: number;
  /** Roots, PEM: the present one and the next. */
  readonly anchors: readonly string[];
  /** SHA-256 of the broker's key (SPKI), lower-case hex: the present one and the next. */
  readonly pins: readonly string[];
  /** SHA-256 of the authorities under which their leaves may stay, lower-case hex; empty says nothing of leaves. */
  readonly gatewayAuthorities: readonly string[];
}

/** What an operator says of it: without a word about authorities, those that are set stay. */
export type NewGatewayTrust = Pick<GatewayTrust, "anchors" | "pins"> &
  Partial<Pick<GatewayTrust, "gatewayAuthorities">>;

/** The release that gateways should run. */
export interface Firmware {
  readonly version: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly size: number;
}

/** What gateways are told of the deployment. */
export interface GatewaySettings {
  /** @throws TRUST_NONE */
  readonly trust: () => GatewayTrust;
  /** {@link GatewayTrust.gatewayAuthorities}, none where nothing was set. */
  readonly gatewayAuthorities: () => readonly string[];
  /** The same again changes nothing. @throws TRUST_INVALID */
  readonly setTrust: (trust: NewGatewayTrust) => GatewayTrust;
  /** @throws FIRMWARE_NONE */
  readonly firmware: () => Firmware;
  readonly setFirmware: (firmware: Firmware) => Firmware;
}

/** Settings on the registry's database. */
export function createGatewaySettings(db: DatabaseSync, tenant: string, now: () => number): GatewaySettings {
  const read = (): GatewayTrust | undefined => {
    const row = db.prepare("SELECT * FROM gateway_trust").get();
    return (
      row && {
        version: Number(row.version),
        anchors: JSON.parse(String(row.anchors)),
        pins: JSON.parse(String(row.pins)),
        gatewayAuthorities: JSON.parse(String(row.gateway_authorities)),
      }
    );
  };
  return {
    trust: () => {
      const trust = read();
      if (trust) return trust;
      throw revocationErrors.error("TRUST_NONE", "no configuration for gateways was set");
    },
    gatewayAuthorities: () => read()?.gatewayAuthorities ?? [],
    setTrust: ({ anchors, pins, gatewayAuthorities: authorities }) => {
      for (const [index, pem] of anchors.entries()) assertRoot(pem, tenant, `anchors.${index}`);
      return transaction(db, () => {
        const held = read();
        const gatewayAuthorities = authorities ?? held?.gatewayAuthorities ?? [];
        const [version, next] = [held?.version ?? 0, { anchors, pins, gatewayAuthorities }];
        if (held && isDeepStrictEqual(held, { version, ...next })) return held;
        const lists = [anchors, pins, gatewayAuthorities].map((list) => JSON.stringify(list));
        db.prepare(
          "INSERT OR REPLACE INTO gateway_trust (only, version, anchors, pins, gateway_authorities) VALUES (1, ?, ?, ?, ?)",
        ).run(version + 1, ...lists);
        return { version: version + 1, ...next };
      });
    },
    firmware: () => {
      const row = db.prepare("SELECT * FROM firmware").get();
      if (row) return { version: String(row.version), sha256: String(row.sha256), size: Number(row.size) };
      throw revocationErrors.error("FIRMWARE_NONE", "no firmware for gateways was published");
    },
    setFirmware: (firmware) =>
      transaction(db, () => {
        const { version, sha256, size } = firmware;
        db.prepare("INSERT OR REPLACE INTO firmware VALUES (1, ?, ?, ?, ?)").run(version, sha256, size, now());
        return firmware;
      }),
  };
}

function assertRoot(pem: string, tenant: string, path: string): void {
  const wrong = (message: string): Error => revocationErrors.error("TRUST_INVALID", message, { path });
  let root: X509Certificate;
  try {
    root = new X509Certificate(pem);
  } catch (thrown) {
    throw wrong(`no certificate: ${messageOf(thrown)}`);
  }
  if (!root.ca || !root.checkIssued(root) || !root.verify(root.publicKey)) throw wrong("no self-signed authority");
  if (attributeOf(root, "O") !== tenant) throw wrong(`the root of "${attributeOf(root, "O")}", not of "${tenant}"`);
}
