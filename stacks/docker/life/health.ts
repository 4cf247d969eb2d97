import { setTimeout as sleep } from "node:timers/promises";
import type { Component } from "../../../model/component.ts";
import type { DockerCli } from "../../host/docker-cli.ts";
import { hostErrors } from "../../host/errors.ts";
import { dockerLifeErrors } from "./errors.ts";
import { type Inspected, inspectContainers, lastLogLines } from "./inspect.ts";

/** How a component is, from the point of view of the Docker Engine. */
export const CONDITIONS = ["healthy", "done", "starting", "unhealthy", "stopped", "missing"] as const;

/** One of {@link CONDITIONS}; `done` is a job that ended with exit code 0. */
export type Condition = (typeof CONDITIONS)[number];

/** Whether nothing more is to be waited for. */
export function isWell(condition: Condition): boolean {
  return condition === "healthy" || condition === "done";
}

/** The condition of a component whose container the engine knows, or does not. */
export function conditionOf({ health }: Component, container: Inspected | undefined): Condition {
  if (container === undefined) return "missing";
  const { Running, Status, ExitCode, Health } = container.State;
  if (health.kind === "exit") {
    if (Status === "exited") return ExitCode === 0 ? "done" : "unhealthy";
    return "starting";
  }
  if (!Running || Status === "restarting") return Status === "restarting" ? "unhealthy" : "stopped";
  if (Health === undefined) return "healthy";
  if (Health.Status === "healthy") return "healthy";
  return Health.Status === "starting" ? "starting" : "unhealthy";
}

/** What {@link waitHealthy} waits for. */
export interface HealthWait {
  readonly docker: DockerCli;
  readonly components: readonly Component[];
  /** Longest wait beyond each component's own start-up time, in seconds. */
  readonly graceSeconds: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Hears each component that is well, once. */
  readonly onWell: (name: string, condition: Condition) => void;
}

const POLL_MS = 500;
const LOG_LINES = 10;

/**
 * Waits until every component is well.
 * @throws COMPONENT_UNHEALTHY naming all that are not, each with its last log lines
 * @throws DEPLOY_CANCELLED when `signal` aborts
 */
export async function waitHealthy(request: HealthWait): Promise<void> {
  const { docker, components, now, signal } = request;
  const started = now();
  const waiting = new Map(components.map((component) => [component.name, component]));
  let conditions: ReadonlyMap<string, Condition> = new Map();
  while (waiting.size > 0) {
    if (signal.aborted) throw hostErrors.error("DEPLOY_CANCELLED", "interrupted while containers became healthy");
    const found = await inspectContainers(docker, [...waiting.keys()]);
    conditions = new Map([...waiting.values()].map((part) => [part.name, conditionOf(part, found.get(part.name))]));
    for (const [name, condition] of conditions) {
      if (!isWell(condition)) continue;
      waiting.delete(name);
      request.onWell(name, condition);
    }
    const late = [...waiting.values()].some(
      ({ health }) => now() - started > (health.startupSeconds + request.graceSeconds) * 1000,
    );
    if (late) throw await unhealthy(docker, [...waiting.keys()], conditions, (now() - started) / 1000);
    if (waiting.size > 0) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function unhealthy(
  docker: DockerCli,
  names: readonly string[],
  conditions: ReadonlyMap<string, Condition>,
  seconds: number,
): Promise<Error> {
  const said = await Promise.all(
    names.map(async (name) => {
      const lines = await lastLogLines(docker, name, LOG_LINES);
      const log = lines.length === 0 ? ["(it wrote nothing)"] : lines;
      return [
        `${name} is ${conditions.get(name) ?? "missing"} after ${Math.round(seconds)} s; its last log lines:`,
        ...log,
      ]
        .map((line, index) => (index === 0 ? line : `    ${line}`))
        .join("\n");
    }),
  );
  return dockerLifeErrors.error("COMPONENT_UNHEALTHY", said.join("\n"), {
    path: names.join(", "),
    fix: `read more with docker logs ${names[0]}, mend what the lines name, and run trustkern deploy again`,
  });
}
