import type { AllowlistDocument } from "../../protocol/allowlist-document.ts";
import { keepTrying } from "../runtime/backoff.ts";
import { devicesOf } from "./allowlist/devices.ts";
import type { Store } from "./store.ts";

/** Writes the sensors of the allowlist down in the database. */
export interface DeviceSync {
  /** The allowlist changed. Never waits. */
  readonly save: () => void;
}

/** What {@link createDeviceSync} works with. */
export interface DeviceSyncOptions {
  readonly store: Pick<Store, "saveDevices">;
  /** The newest allowlist. */
  readonly document: () => AllowlistDocument | null;
  readonly signal: AbortSignal;
  readonly onFailure: (thrown: unknown) => void;
}

/** One write at a time, again until it succeeds, and always of the newest list. */
export function createDeviceSync({ store, document, signal, onFailure }: DeviceSyncOptions): DeviceSync {
  let changed = false;
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (changed && !signal.aborted) {
      await keepTrying(
        async () => {
          changed = false;
          const newest = document();
          if (newest) await store.saveDevices(devicesOf(newest));
        },
        { signal, onFailure },
      ).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      });
    }
    running = false;
  }

  return {
    save: () => {
      changed = true;
      if (!running) void run();
    },
  };
}
