/** Where a port of a component is reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Name to verify the server's certificate against: `<component>.<tenant>.trustkern.internal`. */
  readonly servername: string;
}

/** The DNS name in a component's server certificate, by which other containers reach it too. */
export function serverName(component: string, tenant: string): string {
  return `${component}.${tenant}.trustkern.internal`;
}

/** What an engine decides: addresses and paths. Modules render configuration with it and know no engine. */
export interface Placement {
  readonly endpoint: (component: string, port: string) => Endpoint;
  readonly secretFile: (component: string, secret: string) => string;
  readonly volumeDir: (component: string, volume: string) => string;
  readonly configFile: (component: string, file: string) => string;
  readonly socket: (component: string, socket: string) => string;
  /** IP addresses that a port of a component listens on, such as `127.0.0.1` alone on one machine. */
  readonly listenAddresses: (component: string, port: string) => readonly [string, ...string[]];
}
