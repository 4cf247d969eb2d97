import { Kem } from "../../../custody/proto/custody_pb.ts";
import { grpcClient } from "../../../shared/grpc/client.ts";
import { handshakeProblem } from "../../runtime/grpc/handshake.ts";
import { grpcTlsClient } from "../../runtime/grpc/tls-client.ts";
import type { Tls13Options } from "../../runtime/tls.ts";
import type { CustodyAccess } from "./access.ts";
import { followAddresses, type Resolve } from "./addresses.ts";
import { type CustodyState, createKemReplica, type KemConnection, type KemReplica } from "./replica.ts";

/** Every custody broker that there is to ask. */
export interface KemReplicas {
  /** What custody is, taken together: as good as the best. Undefined until that is known. */
  readonly state: () => CustodyState | undefined;
  /**
   * Whom to ask next: one that is ready, the one with the least to do, and of these the one that was asked longest ago. A sealed
   * one is asked where all others were tried.
   * @param tried - brokers to leave out
   */
  readonly pick: (tried: ReadonlySet<KemReplica>) => KemReplica | undefined;
  /** Has new connections made with these certificates; what is under way ends on those before. */
  readonly useTls: (tls: Tls13Options) => void;
  readonly close: () => void;
}

/** What {@link createKemReplicas} needs. */
export interface KemReplicasOptions {
  readonly access: CustodyAccess;
  readonly resolve: Resolve;
  /** Told whenever the state of any may have changed. */
  readonly onState: () => void;
  /** Told why a broker is not trusted, or does not trust this collector. */
  readonly onProblem: (problem: string) => void;
}

/** Best first. One that nobody has heard of yet is worth a question. */
const RANKS: readonly (CustodyState | undefined)[] = ["ready", undefined, "away", "sealed"];

/** Looks at the one broker of a socket, or at those behind a name, which come and go. */
export function createKemReplicas(options: KemReplicasOptions): KemReplicas {
  const { access, resolve, onState } = options;
  const replicas = new Map<string, KemReplica>();
  const turns = new WeakMap<KemReplica, number>();
  const closed = new AbortController();
  let turn = 0;
  let unresolved = false;
  let tls = access.kind === "mtls" ? access.tls : undefined;

  function add(address: string): void {
    replicas.set(address, replicaOf(address));
  }

  function replicaOf(address: string): KemReplica {
    const common = { onState, onProblem: options.onProblem };
    if (access.kind === "unix" || tls === undefined) {
      const connect = (): KemConnection => grpcClient(Kem, { address: `unix:${address}` });
      return createKemReplica({ ...common, connect, mayLeadElsewhere: () => false });
    }
    const { port, servername } = access;
    const at = { address, port, servername };
    return createKemReplica({
      ...common,
      connect: () => grpcTlsClient(Kem, at, tls ?? access.tls),
      // One address may be that of a Service with several behind it.
      mayLeadElsewhere: () => replicas.size === 1,
      diagnose: () => handshakeProblem(at, tls ?? access.tls),
    });
  }

  function setAddresses(addresses: readonly string[]): void {
    unresolved = false;
    for (const address of addresses) if (!replicas.has(address)) add(address);
    for (const [address, replica] of replicas) {
      if (addresses.includes(address)) continue;
      replicas.delete(address);
      replica.close();
    }
    onState();
  }

  function stateOf(): CustodyState | undefined {
    const states = [...replicas.values()].map((replica) => replica.state());
    if (states.includes("ready")) return "ready";
    if (states.includes("sealed")) return "sealed";
    if (states.length === 0) return unresolved ? "away" : undefined;
    return states.includes(undefined) ? undefined : "away";
  }

  if (access.kind === "unix") add(access.socket);
  else {
    const { host } = access;
    const onFailure = (): void => {
      unresolved = true;
      onState();
    };
    void followAddresses({ host, resolve, signal: closed.signal, onAddresses: setAddresses, onFailure });
  }

  return {
    state: stateOf,
    pick: (tried) => {
      const order = (replica: KemReplica): readonly number[] => [
        RANKS.indexOf(replica.state()),
        replica.underWay(),
        turns.get(replica) ?? 0,
      ];
      const [best] = [...replicas.values()]
        .filter((replica) => !tried.has(replica))
        .map((replica) => ({ replica, order: order(replica) }))
        .sort((a, b) => compare(a.order, b.order));
      if (best) turns.set(best.replica, ++turn);
      return best?.replica;
    },
    useTls: (next) => {
      if (access.kind === "unix") return;
      tls = next;
      for (const replica of replicas.values()) replica.reconnect();
    },
    close: () => {
      closed.abort();
      for (const replica of replicas.values()) replica.close();
    },
  };
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
