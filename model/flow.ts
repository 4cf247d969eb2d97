import type { MayCarry } from "./boundary-table.ts";
import type { ComponentIn } from "./component.ts";
import type { DataClass, Protection, Zone } from "./zones.ts";

/** A directed edge: `from` connects to a port or a socket of `to`. What it carries may travel both ways. */
export interface Flow {
  /** Name of the component that connects. */
  readonly from: string;
  /** Name of the component that listens. */
  readonly to: string;
  /** Name of the port, or with `unix` of the socket, of `to`. */
  readonly port: string;
  readonly protection: Protection;
  readonly carries: readonly DataClass[];
  /**
   * Whether the engine itself carries the data, such as a container's log lines: neither end connects, and nothing is
   * mounted or joined for it.
   * @default false
   */
  readonly byEngine?: boolean;
}

/** What a module says about a flow; a flow between two zones that do not speak with each other cannot be written. */
export interface FlowSpec<A extends Zone, B extends Zone, P extends Protection> {
  readonly from: ComponentIn<A>;
  readonly to: ComponentIn<B>;
  readonly port: string;
  readonly protection: P;
  readonly carries: readonly [MayCarry<A, B, P>, ...MayCarry<A, B, P>[]];
  /** @default false */
  readonly byEngine?: boolean;
}

/** A flow. One that carries `decryption-key` or `plaintext` out of `decryption` does not compile. */
export function flow<const A extends Zone, const B extends Zone, const P extends Protection>(
  spec: FlowSpec<A, B, P>,
): Flow {
  const { from, to, ...rest } = spec;
  return { from: from.name, to: to.name, ...rest };
}
