import { hash } from "node:crypto";

/** A whole number from 0 up to, and without, a limit; the same ones in the same order for the same seed. */
export type Random = (below: number) => number;

/** Numbers of a seed. */
export function randomOf(seed: string): Random {
  let drawn = 0;
  return (below) => Number.parseInt(hash("sha256", `${seed} ${drawn++}`).slice(0, 12), 16) % below;
}

/** One of them. */
export function pick<const T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[random(from.length)] as T;
}
