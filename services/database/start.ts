import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { EXIT, messageOf, TrustKernError } from "../../shared/errors.ts";
import { listenTcp } from "../runtime/listen.ts";
import { readPasswords } from "../runtime/postgres/role-passwords.ts";
import type { RunningService, ServiceContext } from "../runtime/run.ts";
import { readText } from "../runtime/tls.ts";
import type { DatabaseConfig } from "./config.ts";
import { serveConnection } from "./connection.ts";
import { createJobRunner } from "./jobs.ts";
import { createLoginRoom } from "./login-room.ts";
import { createMultiplexer, type Multiplexer } from "./multiplexer.ts";
import { openDatabase } from "./open-database.ts";
import { createScramDirectory } from "./scram.ts";
import { createUpkeep } from "./upkeep.ts";

const UPKEEP_MS = 5_000;
/** A login takes two answers of ours; who needs longer comes again. */
const LOGIN_LIMIT_MS = 5_000;
const MAX_LOGINS = 64;

/**
 * Starts the embedded database: takes the port, opens the cluster, serves clients, runs jobs. `exit` ends the process when the engine died.
 * @throws the codes of `openDatabase`, PORT_IN_USE, DATABASE_ROLE_SECRET
 */
export async function startDatabase(
  context: ServiceContext<DatabaseConfig>,
  exit: (exitCode: number) => void,
): Promise<RunningService> {
  const { config, log, events, now } = context;
  const verifierOf = createScramDirectory(readPasswords(config.roles));
  const secure = config.tls && secureContext(config.tls);
  const sockets = new Set<Socket>();
  const logins = createLoginRoom(MAX_LOGINS, LOGIN_LIMIT_MS);
  const letIn = new Set<Socket>();
  /** Clients that came before the cluster was open. */
  const early: Socket[] = [];
  let multiplexer: Multiplexer | undefined;
  let accepted = 0;

  const accept = (socket: Socket): void => {
    socket.on("error", () => socket.destroy());
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      letIn.delete(socket);
    });
    logins.enter(socket);
    if (multiplexer) serve(socket, multiplexer);
    else early.push(socket);
  };
  const serve = (socket: Socket, shared: Multiplexer): void => {
    if (socket.destroyed) return;
    accepted += 1;
    const sourceAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    serveConnection(socket, {
      multiplexer: shared,
      verifierOf,
      secure,
      id: accepted,
      onLogin: () => {
        if (letIn.size >= config.maxClients) return `more than ${config.maxClients} clients`;
        logins.leave(socket);
        letIn.add(socket);
        return undefined;
      },
      onRefused: (user, reason) =>
        events.emit({ kind: "AUTH_FAILED", actor: user, sourceAddress, object: "database", reason }),
    });
  };
  // The port first: it is the cheapest way to see that another database runs here.
  const server = createServer(accept);
  const port = await listenTcp(server, config.listen);
  const { engine, identity } = await openDatabase(config.dataDir, config.roles).catch((thrown: unknown) => {
    server.close();
    throw thrown;
  });
  const onDeath = (thrown: unknown): void => {
    log.fatal({ err: thrown }, messageOf(thrown));
    exit(thrown instanceof TrustKernError ? thrown.exit : EXIT.bug);
  };
  multiplexer = createMultiplexer({ ...config, engine, identity, onDeath });
  for (const socket of early) serve(socket, multiplexer);
  const jobs = createJobRunner({
    multiplexer,
    owner: config.roles.find(({ rights }) => rights === "owner")?.name ?? "",
    now,
    onFailure: (job, reason) => log.error({ job: job.id, reason }, "a database job failed"),
  });
  const upkeep = createUpkeep(multiplexer, now);
  const warn = (thrown: unknown): void => log.error({ reason: messageOf(thrown) }, "database upkeep failed");
  const timers = [
    setInterval(() => jobs.runDue().catch(warn), config.jobsIntervalSeconds * 1000),
    setInterval(() => upkeep.run().catch(warn), UPKEEP_MS),
  ];
  return {
    status: () => ({ port, counters: { clients: letIn.size, accepted, ...jobs.counters(), ...upkeep.counters() } }),
    ready: () => true,
    stop: async () => {
      timers.forEach(clearInterval);
      await closeServer(server, sockets);
      await engine.close();
    },
  };
}

function secureContext({ certFile, keyFile }: NonNullable<DatabaseConfig["tls"]>) {
  const versions = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
  return createSecureContext({ cert: readText(certFile), key: readText(keyFile), ...versions });
}

/** Ends the clients, which rolls back what they left open. */
function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => setImmediate(resolve));
    for (const socket of sockets) socket.destroy();
  });
}
