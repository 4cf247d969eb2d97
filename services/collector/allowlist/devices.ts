import type { AllowlistDocument } from "../../../protocol/allowlist-document.ts";
import { bytesOfHex } from "../../../protocol/hex.ts";
import type { StoredDevice } from "../store-types.ts";

/** The devices that an allowlist names, for the database. A maker that is revoked as a whole revokes the sensors listed under it. */
export function devicesOf({ sensors, revoked }: AllowlistDocument): readonly StoredDevice[] {
  const makers = new Set(revoked.filter(({ sensorIds }) => sensorIds === "all").map(({ maker }) => maker));
  const devices = new Map<string, StoredDevice>();
  for (const { sensorId, maker, publicKey } of sensors)
    devices.set(sensorId, { sensorId, maker, publicKey: bytesOfHex(publicKey), revoked: makers.has(maker) });
  for (const { maker, sensorIds } of revoked) {
    for (const sensorId of sensorIds === "all" ? [] : sensorIds)
      devices.set(sensorId, { sensorId, maker, publicKey: devices.get(sensorId)?.publicKey ?? null, revoked: true });
  }
  return [...devices.values()];
}
