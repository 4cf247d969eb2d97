import { Worker } from "node:worker_threads";
import type { Tls13Options } from "../../runtime/tls.ts";
import type { Message } from "../intake/queue.ts";
import type { CustodyState } from "../kem/replica.ts";
import { type CheckResult, packMessages, unpackResults } from "./packing.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./worker.ts";

/** A batch with its results, one for each message in order. */
export interface CheckedBatch {
  readonly messages: readonly Message[];
  readonly results: readonly CheckResult[];
  /** Version of the allowlist that it was checked with. */
  readonly allowlistVersion: number;
}

/** Threads that verify, open and parse. */
export interface WorkerPool {
  /** Whether {@link dispatch} has a thread with room. */
  readonly hasRoom: () => boolean;
  /** Gives a batch to the thread with the least to do. `fresh`: the allowlist is newer than all of its messages. */
  readonly dispatch: (messages: readonly Message[], fresh: boolean) => void;
  /** Every batch dispatched after this is checked with this allowlist. */
  readonly setAllowlist: (dsse: string) => void;
  /** Connections to custody are made with these certificates from now on. */
  readonly setTls: (tls: Tls13Options) => void;
  /** The worst of what the threads say of custody. */
  readonly custody: () => CustodyState;
  readonly close: () => Promise<void>;
}

/** What {@link createWorkerPool} needs. */
export interface WorkerPoolOptions {
  /** The program whose worker half is `runWorker`. */
  readonly entry: URL;
  readonly threads: number;
  readonly setup: WorkerSetup;
  readonly onChecked: (batch: CheckedBatch) => void;
  readonly onFault: (reason: string) => void;
  /** Told why a thread and a custody broker do not trust each other. */
  readonly onCustodyProblem: (problem: string) => void;
}

/** Batches that one thread is given at a time: it verifies the next while custody opens the one before. */
const BATCHES_PER_THREAD = 2;

/** Messages of a batch: enough that what a batch costs by itself does not show, and checked in about 50 ms. */
export const MESSAGES_PER_BATCH = 512;

/** Starts the threads. A thread that dies takes the process with it: the supervisor starts it anew, and nothing is lost. */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  let nextId = 0;
  const threads = Array.from({ length: options.threads }, () => startThread(options));
  const leastBusy = () => threads.reduce((best, thread) => (thread.batches.size < best.batches.size ? thread : best));
  return {
    hasRoom: () => leastBusy().batches.size < BATCHES_PER_THREAD,
    dispatch: (messages, fresh) => {
      const { worker, batches } = leastBusy();
      const id = nextId++;
      batches.set(id, messages);
      const packed = packMessages(messages);
      worker.postMessage({ kind: "batch", id, fresh, messages: packed } satisfies ToWorker, [packed.buffer]);
    },
    setAllowlist: (dsse) => {
      for (const { worker } of threads) worker.postMessage({ kind: "allowlist", dsse } satisfies ToWorker);
    },
    setTls: (tls) => {
      // Those of a service change with its files, and a thread is sent what they are now.
      for (const { worker } of threads) worker.postMessage({ kind: "tls", tls: { ...tls } } satisfies ToWorker);
    },
    custody: () => {
      const states = threads.map(({ custody }) => custody);
      return states.find((state) => state === "away") ?? states.find((state) => state === "sealed") ?? "ready";
    },
    close: async () => {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

interface Thread {
  readonly worker: Worker;
  readonly batches: Map<number, readonly Message[]>;
  custody: CustodyState;
}

function startThread({ entry, setup, onChecked, onFault, onCustodyProblem }: WorkerPoolOptions): Thread {
  const worker = new Worker(entry, { workerData: setup });
  const thread: Thread = { worker, batches: new Map(), custody: "away" };
  worker.on("error", (thrown) => {
    throw thrown;
  });
  worker.on("message", (message: FromWorker) => {
    if (message.kind === "custody") thread.custody = message.state;
    else if (message.kind === "custody-problem") onCustodyProblem(message.problem);
    else if (message.kind === "fault") onFault(message.reason);
    else {
      const messages = thread.batches.get(message.id) ?? [];
      thread.batches.delete(message.id);
      onChecked({ messages, results: unpackResults(message.results), allowlistVersion: message.allowlistVersion });
    }
  });
  return thread;
}
