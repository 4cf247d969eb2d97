import { parentPort, workerData } from "node:worker_threads";
import { type Allowlist, lookup, verifyAllowlist } from "../../../protocol/allowlist.ts";
import { bytesOfHex } from "../../../protocol/hex.ts";
import { importP256Point } from "../../../protocol/signature.ts";
import { messageOf } from "../../../shared/errors.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import type { CustodyAccess } from "../kem/access.ts";
import { createKemClient } from "../kem/client.ts";
import type { CustodyState } from "../kem/replica.ts";
import { checkBatch } from "./checker.ts";
import { packResults, unpackMessages } from "./packing.ts";

/** What a worker thread is started with. */
export interface WorkerSetup {
  readonly custody: CustodyAccess;
  /** The backend's signing key: uncompressed P-256 point, hex. */
  readonly backendKey: string;
}

/** What a worker thread is told. An allowlist always comes before the first batch. */
export type ToWorker =
  | { readonly kind: "allowlist"; readonly dsse: string }
  | { readonly kind: "tls"; readonly tls: Tls13Options }
  | { readonly kind: "batch"; readonly id: number; readonly fresh: boolean; readonly messages: Uint8Array };

/** What a worker thread tells. */
export type FromWorker =
  | { readonly kind: "custody"; readonly state: CustodyState }
  | { readonly kind: "custody-problem"; readonly problem: string }
  | { readonly kind: "fault"; readonly reason: string }
  | {
      readonly kind: "results";
      readonly id: number;
      readonly results: Uint8Array;
      /** Version of the allowlist that the batch was checked with. */
      readonly allowlistVersion: number;
    };

/** The body of a worker thread: verify, open, parse. */
export function runWorker(): void {
  const port = parentPort;
  if (!port) throw new Error("not a worker thread");
  const { custody, backendKey: point } = workerData as WorkerSetup;
  const backendKey = importP256Point(bytesOfHex(point));
  const tell = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  const kem = createKemClient({
    custody,
    onState: (state) => tell({ kind: "custody", state }),
    onProblem: (problem) => tell({ kind: "custody-problem", problem }),
  });
  const onFault = (thrown: unknown): void => tell({ kind: "fault", reason: messageOf(thrown) });
  let allowlist: Allowlist | undefined;

  port.on("message", async (message: ToWorker) => {
    if (message.kind === "allowlist") {
      allowlist = verifyAllowlist({ dsse: message.dsse, backendKey, audience: "collector", currentVersion: 0 });
      return;
    }
    if (message.kind === "tls") {
      kem.useTls(message.tls);
      return;
    }
    if (!allowlist) throw new Error("a batch came before the first allowlist");
    const current = allowlist;
    const results = await checkBatch(unpackMessages(message.messages), {
      lookup: (sensorId) => lookup(current, sensorId),
      fresh: message.fresh,
      openKem: kem.open,
      onFault,
    });
    const packed = packResults(results);
    tell({ kind: "results", id: message.id, results: packed, allowlistVersion: current.document.version }, [
      packed.buffer,
    ]);
  });
}
