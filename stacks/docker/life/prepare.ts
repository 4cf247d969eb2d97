import { chownSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../../../model/boundary.ts";
import { socketIsDead } from "../../../shared/socket-answers.ts";
import { logEvent } from "../../host/event-log.ts";
import { holds, makePrivateDir, writePrivate, writing } from "../../host/files.ts";
import type { Layout } from "../../host/layout.ts";
import { prepareSecrets } from "../../host/secrets.ts";
import { type HostState, readState, settledHosting, writeState } from "../../host/state.ts";
import { assertWitnesses, witnessedVolumes } from "../../host/witnesses.ts";
import type { RunAs } from "../containers.ts";
import { hostConfigFile, hostSocket, socketFolder } from "../mounts.ts";
import type { DockerOptions } from "./options.ts";
import type { Rendered } from "./render.ts";

/** A deployment whose files are in place. */
export interface Prepared {
  /** Remembers the volumes that are in use now: from then on, one that is empty is a loss. */
  readonly settle: () => void;
}

/**
 * Puts everything in place that containers mount: secrets, configuration, folders, each the containers' user's alone.
 * @throws STATE_CORRUPT, STATE_UNWRITABLE, HOSTING_MOVED
 */
export async function prepareHost(options: DockerOptions, { layout, model }: Rendered): Promise<Prepared> {
  const { deployment, clock } = options;
  const state = readState(layout.stateFile, deployment.tenant, "docker");
  const hosting = settledHosting(state, deployment);
  const volumeDir = (component: string, volume: string): string => join(layout.volumesDir, component, volume);
  assertWitnesses(model, state?.volumes ?? [], volumeDir);
  const secretFile = (component: string, secret: string): string => join(layout.secretsDir, component, secret);
  await prepareSecrets({
    layout,
    model,
    secretFile,
    tenant: deployment.tenant,
    namespace: undefined,
    pki: deployment.pki,
    clock,
    existing: state !== undefined,
    fixture: undefined,
    onEvent: (event) => logEvent(layout, event),
  });
  const remember = (volumes: readonly string[]): void => {
    const createdAt = state?.createdAt ?? clock().toISOString();
    const next: HostState = {
      schema: "trustkern.docker-state/1",
      tenant: deployment.tenant,
      createdAt,
      ports: {},
      volumes: [...volumes],
      hosting,
    };
    writeState(layout.stateFile, next);
  };
  remember(state?.volumes ?? []);
  for (const folder of foldersOf(layout, model)) makePrivateDir(folder);
  await removeDeadSockets(layout, model);
  writeConfiguration(layout, model);
  if (options.mayChown) giveAway(layout, model, options.runAs);
  return {
    settle: () => remember([...new Set([...(state?.volumes ?? []), ...witnessedVolumes(model, volumeDir)])]),
  };
}

function foldersOf(layout: Layout, model: Model): readonly string[] {
  return model.components.flatMap((component) => [
    ...component.volumes.map(({ name }) => join(layout.volumesDir, component.name, name)),
    ...component.sockets.map(({ name }) => socketFolder(layout, component.name, name)),
    ...(component.secrets.length > 0 ? [join(layout.secretsDir, component.name)] : []),
  ]);
}

/** A program that was killed leaves its socket's file, and not every program takes one away at its start. */
async function removeDeadSockets(layout: Layout, model: Model): Promise<void> {
  const sockets = model.components.flatMap(({ name, sockets: own }) =>
    own.map((socket) => hostSocket(layout, name, socket.name)),
  );
  for (const file of sockets) {
    if (await socketIsDead(file)) writing(file, () => rmSync(file, { force: true }));
  }
}

function writeConfiguration(layout: Layout, model: Model): void {
  for (const { name, files } of model.components) {
    for (const { path, content } of files) {
      const file = hostConfigFile(layout, name, path);
      // A file that is mounted keeps its owner where there is nothing new in it.
      if (!holds(file, content)) writePrivate(file, content);
    }
  }
}

/** Gives the containers' user what containers mount. They see these folders and single files of the configuration; what is above them stays the command line's own. */
export function giveAway(layout: Layout, model: Model, { uid, gid }: RunAs): void {
  const files = [layout.secretsDir, layout.configDir].flatMap((dir) =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  for (const path of [...files, ...foldersOf(layout, model)]) writing(path, () => chownSync(path, uid, gid));
}
