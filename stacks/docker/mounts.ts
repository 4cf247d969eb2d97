import { dirname, join } from "node:path";
import type { Model } from "../../model/boundary.ts";
import type { Component } from "../../model/component.ts";
import type { Layout } from "../host/layout.ts";
import { granted } from "./grants.ts";
import { INSIDE, SOCKET_FILE } from "./placement.ts";

/** A file or folder of the host, as a container sees it. */
export interface MountSpec {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** Folder on the host that holds one socket. */
export function socketFolder(layout: Layout, component: string, socket: string): string {
  return join(layout.runDir, `${component}.${socket}`);
}

/** Path of a socket below the run folder of the host. */
export function hostSocketName(component: string, socket: string): string {
  return `${component}.${socket}/${SOCKET_FILE}`;
}

/** Path on the host of a socket, for whoever asks it from outside a container. */
export function hostSocket(layout: Layout, component: string, socket: string): string {
  return join(socketFolder(layout, component, socket), SOCKET_FILE);
}

/** Path on the host of a configuration file, from its path inside the container. */
export function hostConfigFile(layout: Layout, component: string, inside: string): string {
  return join(layout.configDir, component, inside.slice(INSIDE.config.length + 1));
}

/**
 * Everything of the host that a component sees: its configuration file by file, the folder of its secrets, since a file that
 * is replaced by a rename does not reach whom the old one is mounted to, its volumes, the folders of its sockets, and those
 * of the sockets that it has a flow to, or that the host has and an exception grants.
 */
export function planMounts(component: Component, model: Model, layout: Layout): readonly MountSpec[] {
  const { name } = component;
  const files = component.files.map(({ path }) => ({
    source: hostConfigFile(layout, name, path),
    target: path,
    readOnly: true,
  }));
  const secrets =
    component.secrets.length === 0
      ? []
      : [{ source: join(layout.secretsDir, name), target: INSIDE.secrets, readOnly: true }];
  const volumes = component.volumes.map((volume) => ({
    source: join(layout.volumesDir, name, volume.name),
    target: volume.path,
    readOnly: false,
  }));
  const listening = component.sockets.map((socket) => socketMount(layout, name, socket.name, false));
  // Connecting needs the right to write to the socket, not to its folder: read-only, nobody else can put one in its place.
  const reached = model.flows
    .filter(({ from, protection, byEngine }) => from === name && protection === "unix" && byEngine !== true)
    .map(({ to, port }) => socketMount(layout, to, port, true));
  const ofHost = granted(component, "host-socket").map((socket) => ({
    source: dirname(socket),
    target: `${INSIDE.sockets}/host.keys`,
    readOnly: true,
  }));
  return [...files, ...secrets, ...volumes, ...listening, ...reached, ...ofHost].toSorted((a, b) =>
    a.target < b.target ? -1 : 1,
  );
}

function socketMount(layout: Layout, component: string, socket: string, readOnly: boolean): MountSpec {
  return {
    source: socketFolder(layout, component, socket),
    target: `${INSIDE.sockets}/${component}.${socket}`,
    readOnly,
  };
}
