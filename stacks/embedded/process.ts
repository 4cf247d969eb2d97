import { join } from "node:path";
import type { Component } from "../../model/component.ts";
import { NO_INSPECTOR } from "../../modules/common.ts";
import type { Layout } from "../host/layout.ts";
import type { ProcessSpec } from "./supervisor.ts";

/** What of the project a service's program is made of; nothing else of the project is readable to it. */
const CODE = ["node_modules", "package.json", "shared", "protocol", "certs", "custody", "services"] as const;

/**
 * How one component runs: its own program under Node's permission model, which lets it read and write what the model
 * gives it and nothing else, start no process, and load no native add-on.
 */
export function processOf(
  component: Component & { readonly service: string },
  callers: readonly string[],
  layout: Layout,
  projectRoot: string,
): ProcessSpec {
  const main = component.files[0]?.path ?? "";
  const read = [
    ...CODE.map((part) => join(projectRoot, part)),
    ...component.files.map(({ path }) => path),
    ...component.secrets.map(({ file }) => file),
  ];
  const readWrite = [...component.volumes.map(({ path }) => path), ...component.sockets.map(({ path }) => path)];
  return {
    name: component.name,
    logFile: join(layout.logsDir, `${component.name}.ndjson`),
    args: [
      "--permission",
      "--disable-warning=ExperimentalWarning",
      "--disable-warning=SecurityWarning",
      NO_INSPECTOR,
      // Unix sockets, the control socket included, count as network here.
      "--allow-net",
      ...(component.workers ? ["--allow-worker"] : []),
      ...[...read, ...readWrite, ...callers].map((path) => `--allow-fs-read=${path}`),
      ...[...readWrite, ...callers].map((path) => `--allow-fs-write=${path}`),
      `--max-old-space-size=${component.limits.memoryMiB}`,
      join(projectRoot, "services", component.service, "main.ts"),
      "--config",
      main,
    ],
  };
}
