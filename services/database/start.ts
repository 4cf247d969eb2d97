import { createServer, type Server, type Socket } from "node:net";
import { EXIT, messageOf, TrustKernError } from "../../shared/errors.ts";
import { listenTcp } from "../runtime/listen.ts";
import type { RunningService, ServiceContext } from "../runtime/run.ts";
import type { DatabaseConfig } from "./config.ts";
import { serveConnection } from "./connection.ts";
import { createJobRunner } from "./jobs.ts";
import { createMultiplexer, type Multiplexer } from "./multiplexer.ts";
import { openDatabase } from "./open-database.ts";
import { readPasswords } from "./roles.ts";
import { createScramDirectory } from "./scram.ts";
import { createUpkeep } from "./upkeep.ts";
import { errorResponse } from "./wire-answers.ts";

const UPKEEP_MS = 5_000;

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
  const sockets = new Set<Socket>();
  /** Clients that came before the cluster was open. */
  const early: Socket[] = [];
  let multiplexer: Multiplexer | undefined;
  let accepted = 0;

  const accept = (socket: Socket): void => {
    socket.on("error", () => socket.destroy());
    if (!multiplexer) early.push(socket);
    else if (sockets.size >= config.maxClients) refuse(socket, "53300", `more than ${config.maxClients} clients`);
    else serve(socket, multiplexer);
  };
  const serve = (socket: Socket, shared: Multiplexer): void => {
    accepted += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const sourceAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    serveConnection(socket, {
      multiplexer: shared,
      verifierOf,
      id: accepted,
      onRefused: (user) =>
        events.emit({ kind: "AUTH_FAILED", actor: user, sourceAddress, object: "database", reason: "password" }),
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
  early.forEach(accept);
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
    status: () => ({ port, counters: { clients: sockets.size, accepted, ...jobs.counters(), ...upkeep.counters() } }),
    ready: () => true,
    stop: async () => {
      timers.forEach(clearInterval);
      await closeServer(server, sockets);
      await engine.close();
    },
  };
}

function refuse(socket: Socket, sqlState: string, message: string): void {
  socket.end(errorResponse("FATAL", sqlState, message));
}

/** Ends the clients, which rolls back what they left open. */
function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => setImmediate(resolve));
    for (const socket of sockets) socket.destroy();
  });
}
