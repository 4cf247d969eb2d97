import { setTimeout as sleep } from "node:timers/promises";
import type { Component } from "../../../model/component.ts";
import { socketAnswers } from "../../../shared/socket-answers.ts";
import type { DockerCli } from "../../host/docker-cli.ts";
import { hostErrors } from "../../host/errors.ts";
import type { Layout } from "../../host/layout.ts";
import { hostSocket } from "../mounts.ts";
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

/** Where containers are looked at. */
export interface Place {
  readonly docker: DockerCli;
  readonly layout: Layout;
}

/** A component, as it is now. */
export interface Observed {
  readonly condition: Condition;
  readonly container: Inspected | undefined;
}

/**
 * How components are. One without a health check of Docker's, but with a socket, is asked there from this host.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DOCKER_FAILED
 */
export async function observe(
  { docker, layout }: Place,
  components: readonly Component[],
): Promise<ReadonlyMap<string, Observed>> {
  const found = await inspectContainers(
    docker,
    components.map(({ name }) => name),
  );
  const seen = components.map(async (component) => {
    const { name, health } = component;
    const container = found.get(name);
    const condition = conditionOf(component, container);
    const unasked = condition === "healthy" && container?.State.Health === undefined && health.kind === "socket";
    const answers = !unasked || (await socketAnswers(hostSocket(layout, name, health.socket)));
    return [name, { condition: answers ? condition : "starting", container }] as const;
  });
  return new Map(await Promise.all(seen));
}

/** What {@link waitHealthy} waits for. */
export interface HealthWait extends Place {
  readonly components: readonly Component[];
  /** Longest wait beyond each component's own start-up time while it still starts, in seconds. */
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
    const seen = await observe(request, [...waiting.values()]);
    conditions = new Map([...seen].map(([name, { condition }]) => [name, condition]));
    for (const [name, condition] of conditions) {
      if (!isWell(condition)) continue;
      waiting.delete(name);
      request.onWell(name, condition);
    }
    const late = [...waiting.values()].some(({ name, health }) => {
      const grace = conditions.get(name) === "starting" ? request.graceSeconds : 0;
      return now() - started > (health.startupSeconds + grace) * 1000;
    });
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
