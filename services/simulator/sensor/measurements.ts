import { FLAG } from "../../../protocol/envelope.ts";
import type { Payload } from "../../../protocol/payload.ts";

/** Firmware version that every simulated sensor runs. */
export const FIRMWARE = "1.4.2";

/** What a sensor measured, with the flags that go with it. */
export interface Measurement {
  readonly payload: Payload;
  /** Bits of `FLAG`. */
  readonly flags: number;
}

const DAY_MS = 86_400_000;
const BATTERY_LOW_MV = 2400;
/** A trace of vibration readings makes an envelope longer than one CoAP block. */
const TRACE_LENGTH = 220;

/**
 * Measures a plausible room: a daily swing and noise. Optional members come and go, as on a board that measures some of
 * them more rarely.
 * @param timeMs - milliseconds since the Unix epoch
 * @param random - uniform in 0..1
 */
export function measure(timeMs: number, random: () => number): Measurement {
  const day = Math.sin((2 * Math.PI * (timeMs % DAY_MS)) / DAY_MS);
  const around = (middle: number, spread: number): number => middle + spread * (2 * random() - 1);
  const sometimes = <T>(chance: number, make: () => T): T | undefined => (random() < chance ? make() : undefined);
  const battery = sometimes(0.2, () => Math.round(around(2900, 600)));
  const ota = sometimes(0.01, () => ({ campaign: "2026-11", state: "downloaded", version: "1.5.0" }));
  const members = {
    fw: FIRMWARE,
    temperature_c: round(21 + 4 * day + around(0, 0.5), 2),
    humidity_pct: round(45 - 8 * day + around(0, 2), 1),
    pressure_hpa: round(around(1013, 4), 1),
    gas_ohm: sometimes(0.5, () => Math.round(around(120_000, 40_000))),
    aqi: sometimes(0.5, () => Math.round(around(60, 40))),
    battery_mv: battery,
    thread: sometimes(0.3, () => ({
      rssi_dbm: Math.round(around(-65, 20)),
      lqi: Math.round(around(180, 70)),
      parent: `0x${(0x4c00 + Math.floor(random() * 8)).toString(16)}`,
    })),
    motion: sometimes(0.1, () => [around(0, 40), around(0, 40), around(1000, 40)].map(Math.round)),
    ota,
    vibration_trace: sometimes(0.05, () => Array.from({ length: TRACE_LENGTH }, () => Math.round(around(500, 400)))),
  };
  // A member that was not measured is not sent: JSON has no undefined.
  const payload = JSON.parse(JSON.stringify(members)) as Payload;
  const low = battery !== undefined && battery < BATTERY_LOW_MV;
  return { payload, flags: (low ? FLAG.batteryLow : 0) | (ota ? FLAG.otaEvent : 0) };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
