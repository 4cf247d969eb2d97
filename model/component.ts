import type { MayHold } from "./boundary-table.ts";
import type { ExternalServer } from "./kubernetes.ts";
import type { DataClass, Zone } from "./zones.ts";

/** A port that a component listens on. */
export interface Port {
  /** Unique within the component; flows name it. */
  readonly name: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /**
   * Whether something outside the deployment may connect.
   * @default false
   */
  readonly publish?: boolean;
}

/** A rendered configuration file. Holds names and paths, and never a secret. */
export interface ConfigFile {
  readonly path: string;
  readonly content: string;
  /** POSIX mode, such as `0o600`. */
  readonly mode: number;
}

/** A secret by name; the engine puts its bytes at `file`, from the deployment's secret store. */
export interface SecretRef {
  readonly name: string;
  readonly file: string;
}

/** A directory whose content outlives the process. */
export interface Volume {
  readonly name: string;
  readonly path: string;
  /**
   * A file or folder in it that is there from the first start on: where it is gone, so is what was kept, and to begin anew
   * would hide the loss.
   * @default none
   */
  readonly witness?: string;
}

/** A Unix socket that the component listens on, mode 0600. */
export interface Socket {
  readonly name: string;
  readonly path: string;
}

/**
 * How an engine learns that a component is ready: `GET /status` on one of its sockets, a program run inside its container
 * that exits with 0, or the component's own end with exit code 0 where it does one job and ends.
 */
export type Health =
  | {
      readonly kind: "socket";
      /** Name of the socket that answers `GET /status`. */
      readonly socket: string;
      /** Longest time from start to the first `ready: true`. */
      readonly startupSeconds: number;
      /**
       * Whether it may have to wait for something outside of it before it is ready, such as an order to open keys or another
       * component: to start it anew would not help.
       * @default false
       */
      readonly mayWait?: boolean;
    }
  | {
      readonly kind: "command";
      /** Program and arguments, without a shell. */
      readonly command: readonly [string, ...string[]];
      /** Longest time from start to the first exit code 0. */
      readonly startupSeconds: number;
      /**
       * As of a socket; also where a start may take long, such as of a database that plays its log again.
       * @default false
       */
      readonly mayWait?: boolean;
    }
  | {
      readonly kind: "exit";
      /** Longest time from start to its end. */
      readonly startupSeconds: number;
    };

/** A folder for what need not outlive the process: memory, with a bound. */
export interface Scratch {
  readonly path: string;
  readonly maxMiB: number;
}

/** What a component may use at most. */
export interface Limits {
  readonly memoryMiB: number;
  readonly pids: number;
  /** Cores; a fraction is a share of one. */
  readonly cpus: number;
}

/**
 * What an engine withholds from every component, unless an exception grants it. A `host-socket` is the absolute path of a socket
 * that a program of the host listens on, in a folder of its own; a `device` that of a character device.
 */
export type Grant =
  | "user:root"
  | "rootfs:writable"
  | "health:none"
  | `capability:${string}`
  | `host-socket:${string}`
  | `device:${string}`;

/**
 * What brings a program to take a renewed certificate from its files: it watches them, it reads them at SIGHUP to its main
 * process, or it has to start anew.
 */
export type Renewal = "watch" | "reload" | "restart";

/** A deviation from the hardened default, with the reason that an auditor reads. */
export interface Exception {
  readonly what: string;
  /**
   * What an engine gives it beyond the hardened default.
   * @default none
   */
  readonly grants?: readonly Grant[];
  readonly reason: string;
}

/** One workload, as plain data that every engine renders. */
export interface Component {
  /** Unique in the deployment; also its host name, and state: it never changes by accident. */
  readonly name: string;
  readonly zone: Zone;
  /** The data classes that its memory or its disks hold. */
  readonly holds: readonly DataClass[];
  /** The folder of our program in `services/`, where it is ours. */
  readonly service?: string;
  /** Name of its image in `images.lock.yaml`; a component without one runs on the embedded engine alone. */
  readonly image?: string;
  /** What a container of it runs instead of the image's entry point: program and arguments, without a shell. */
  readonly command?: readonly [string, ...string[]];
  /** Environment of its container. Names and paths, and never a secret. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Common name of its TLS certificate; a component without one speaks no mutual TLS. */
  readonly identity?: string;
  readonly ports: readonly Port[];
  /** The first one is what the program is started with. */
  readonly files: readonly ConfigFile[];
  readonly secrets: readonly SecretRef[];
  readonly volumes: readonly Volume[];
  readonly scratch: readonly Scratch[];
  readonly sockets: readonly Socket[];
  readonly health: Health;
  readonly limits: Limits;
  readonly replicas: number;
  readonly exceptions: readonly Exception[];
  readonly renewal: Renewal;
  /** Whether it opens or listens on TCP or UDP at all. */
  readonly network: boolean;
  /** Whether it starts worker threads. */
  readonly workers: boolean;
  /**
   * Where it runs, if the deployment does not run it: it holds and carries what it would hold, and an engine makes nothing for it.
   * @default the deployment runs it
   */
  readonly external?: ExternalServer;
}

/** A component whose zone the compiler knows. */
export type ComponentIn<Z extends Zone> = Component & { readonly zone: Z };

type Defaulted =
  | "holds"
  | "zone"
  | "ports"
  | "secrets"
  | "volumes"
  | "scratch"
  | "sockets"
  | "replicas"
  | "exceptions"
  | "renewal"
  | "workers";

/** What a module says about a component; the rest has defaults. */
export interface ComponentSpec<Z extends Zone> extends Omit<Component, Defaulted> {
  readonly zone: Z;
  readonly holds: readonly MayHold<Z>[];
  /** @default [] */
  readonly ports?: readonly Port[];
  /** @default [] */
  readonly secrets?: readonly SecretRef[];
  /** @default [] */
  readonly volumes?: readonly Volume[];
  /** @default [] */
  readonly scratch?: readonly Scratch[];
  /** @default [] */
  readonly sockets?: readonly Socket[];
  /** @default 1 */
  readonly replicas?: number;
  /** @default [] */
  readonly exceptions?: readonly Exception[];
  /** @default "restart" */
  readonly renewal?: Renewal;
  /** @default false */
  readonly workers?: boolean;
}

/**
 * A component. `component({ zone: "edge", holds: ["plaintext"], … })` does not compile: a zone holds what
 * `ZONE_HOLDS` lets it hold.
 */
export function component<const Z extends Zone>(spec: ComponentSpec<Z>): ComponentIn<Z> {
  return {
    ports: [],
    secrets: [],
    volumes: [],
    scratch: [],
    sockets: [],
    replicas: 1,
    exceptions: [],
    renewal: "restart",
    workers: false,
    ...spec,
  };
}
