import pino, { type Logger } from "pino";
import type { z } from "zod";
import { EXIT } from "../../shared/errors.ts";
import { type CommonConfig, loadConfig } from "./config.ts";
import { type ControlRoute, startControl } from "./control.ts";
import type { Metric } from "./metrics/metric.ts";
import { type RunningMetrics, startMetrics } from "./metrics/start.ts";
import { configFile, reportFailure } from "./program.ts";
import { createSecurityEvents, type SecurityEvents } from "./security-events.ts";
import { createTlsWatcher, type TlsWatcher } from "./tls-watcher.ts";

const STOP_LIMIT_MS = 10_000;

/** What a service is handed at its start. */
export interface ServiceContext<C> {
  readonly config: C;
  readonly log: Logger;
  readonly events: SecurityEvents;
  /** Milliseconds since the Unix epoch; a service reads the clock here alone. */
  readonly now: () => number;
  /**
   * Options from the files of a `tls` block, that change when the files do: to be spread anew at each connect, and followed by
   * servers (`createMutualServer` does). `GET /status` shows the identity that a service opens first.
   * @throws SERVICE_FILE_UNREADABLE, SERVICE_TLS_INVALID
   */
  readonly tls: TlsWatcher["open"];
  /** Aborts when the service is told to stop. */
  readonly signal: AbortSignal;
}

/** A service that has started. */
export interface RunningService {
  /** Members of `GET /status` beside name, pid, ready and startedAt; `counters` by convention, `reason` while not ready. */
  readonly status: () => object;
  readonly ready: () => boolean;
  readonly stop: () => Promise<void>;
  /** Pins that its next connection to the broker is held to, for `tls` of `GET /status`. @default it is no client of the broker */
  readonly brokerPins?: () => readonly string[];
  /** @default none */
  readonly routes?: readonly ControlRoute[];
  /** What it measures beside readiness and its process. @default none */
  readonly metrics?: readonly Metric[];
}

/** What a service's `main.ts` says of it. */
export interface ServiceDefinition<C extends CommonConfig> {
  readonly name: string;
  readonly configSchema: z.ZodType<C>;
  /** Resolves once the service runs; a dependency that is away is no reason to reject. */
  readonly start: (context: ServiceContext<C>) => Promise<RunningService>;
}

/**
 * The body of every service's `main.ts`: reads `--config FILE`, logs NDJSON on stdout, serves the control socket, stops on
 * SIGTERM and SIGINT with exit code 0. A start that fails prints one JSON error on stderr and exits with that error's code;
 * what nobody caught exits with 255.
 */
export async function runService<C extends CommonConfig>(definition: ServiceDefinition<C>): Promise<void> {
  // Everything that a service creates is its own user's alone.
  process.umask(0o077);
  try {
    await run(definition);
  } catch (thrown) {
    process.exitCode = reportFailure(definition.name, thrown);
    process.exit();
  }
}

function pinsOf(running: RunningService | undefined): { readonly pins?: readonly string[] } {
  return running?.brokerPins ? { pins: running.brokerPins() } : {};
}

async function run<C extends CommonConfig>({ name, configSchema, start }: ServiceDefinition<C>): Promise<void> {
  const config = loadConfig(configFile(name), configSchema);
  const log = pino({ level: config.logLevel, base: { name: config.name } });
  const crash = (thrown: unknown): void => {
    log.fatal({ err: thrown }, "crashed");
    process.exit(EXIT.bug);
  };
  process.on("uncaughtException", crash).on("unhandledRejection", crash);

  const abort = new AbortController();
  const startedAt = new Date().toISOString();
  let running: RunningService | undefined;
  let metrics: RunningMetrics | undefined;
  const ready = (): boolean => running?.ready() ?? false;
  const status = (): object => ({
    name: config.name,
    pid: process.pid,
    ready: ready(),
    startedAt,
    counters: {},
    ...(metrics && { metricsPort: metrics.port }),
    ...(watcher.status() && { tls: { ...watcher.status(), ...pinsOf(running) } }),
    ...(running?.status() ?? { reason: "starting" }),
  });
  const now = Date.now;
  // A quiet log level does not silence security events.
  const events = createSecurityEvents({
    name: config.name,
    tenant: config.tenant,
    log: log.child({}, { level: "info" }),
    now,
  });
  const watcher = createTlsWatcher({ now, onEvent: events.emit });
  const control = await startControl({
    socketPath: config.controlSocket,
    status,
    routes: () => running?.routes ?? [],
    log,
  });
  const stop = async (signal: string): Promise<void> => {
    if (abort.signal.aborted) return;
    log.info({ signal }, "stopping");
    abort.abort(new Error("the service is stopping"));
    setTimeout(() => process.exit(EXIT.timeout), STOP_LIMIT_MS).unref();
    watcher.stop();
    metrics?.close();
    await running?.stop();
    await control.close();
    process.exit(EXIT.done);
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  // A supervisor that dies takes its end of the channel with it.
  process.on("disconnect", () => stop("disconnect"));
  try {
    running = await start({ config, log, events, now, tls: watcher.open, signal: abort.signal });
    if (config.metrics)
      metrics = await startMetrics({
        config: config.metrics,
        tls: watcher.open(config.metrics.tls),
        ready,
        metrics: running.metrics ?? [],
        events,
        log,
      });
  } catch (thrown) {
    // A start that the stop interrupted has not failed.
    if (!abort.signal.aborted) throw thrown;
    return;
  }
  log.info("started");
}
