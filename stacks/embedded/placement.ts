import { join } from "node:path";
import { type Placement, serverName } from "../../model/placement.ts";
import type { Layout } from "../host/layout.ts";

/** Every component listens on the loopback address: the engine is for one machine. */
export const LOOPBACK = "127.0.0.1";

/** Where the embedded engine puts things. `ports` maps `<component>.<port>` to its number. */
export function embeddedPlacement(layout: Layout, tenant: string, ports: Readonly<Record<string, number>>): Placement {
  return {
    endpoint: (component, port) => ({
      host: LOOPBACK,
      port: ports[`${component}.${port}`] ?? 0,
      servername: serverName(component, tenant),
    }),
    secretFile: (component, secret) => join(layout.secretsDir, component, secret),
    volumeDir: (component, volume) => join(layout.volumesDir, component, volume),
    configFile: (component, file) => join(layout.configDir, component, file),
    socket: (component, socket) => join(layout.runDir, `${component}.${socket}`),
    listenAddresses: () => [LOOPBACK],
  };
}
