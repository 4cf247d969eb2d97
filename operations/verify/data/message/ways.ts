import type { Component } from "../../../../model/component.ts";
import type { OperatorClient } from "../../../../stacks/host/operator-client.ts";
import type { Control } from "../../../../stacks/host/recipients.ts";
import type { Capturing } from "./capture.ts";
import type { Marker } from "./marker.ts";
import type { Rows } from "./stored.ts";

/** A marked message as it travels. */
export interface Sealed {
  readonly marker: Marker;
  readonly envelope: Uint8Array;
}

/** How a deployment is reached, whatever runs it. */
export interface Ways {
  /** Every component, for the names of those that have a gateway's certificate. */
  readonly components: readonly Pick<Component, "name" | "identity">[];
  /** The backend, with an operator's certificate. */
  readonly operator: () => Promise<OperatorClient>;
  readonly control: Control;
  /** Sends each message to its gateway as a sensor does: the answer of each, such as `2.04`, or why there was none. */
  readonly send: (sealed: readonly Sealed[]) => Promise<readonly string[]>;
  readonly rows: () => Promise<Rows>;
  /** Captures packets from now on, wherever that can be done. */
  readonly capture: () => Promise<readonly Capturing[]>;
}

/** What a journey is made with. Times in milliseconds. */
export interface Traveller {
  readonly clock: () => Date;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
  /**
   * So many fresh random bytes.
   * @default the system's
   */
  readonly random?: ((bytes: number) => Buffer) | undefined;
  /**
   * Hears what was marked once it is stored, while packets are still captured and nothing is searched yet: for a test that leaks it.
   * @default nobody
   */
  readonly onSent?: ((markers: readonly Marker[]) => Promise<void>) | undefined;
}
