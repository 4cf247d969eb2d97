import type { LookAt } from "../../stacks/docker/life/host-path.ts";

/** What comes of asking for a port. */
export type PortState = "free" | "taken" | "forbidden" | "no-address";

/** Room on the disk of a folder, in bytes. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Everything of this machine that the doctor looks at, so that tests hand in machines of their own. */
export interface Machine {
  /** Content of a file; undefined where it is missing or may not be read. */
  readonly readText: (path: string) => string | undefined;
  /** Names in a folder, sorted; undefined where it is missing or may not be read. */
  readonly listFolder: (path: string) => readonly string[] | undefined;
  /** Path without symbolic links; undefined where there is nothing. */
  readonly realPath: (path: string) => string | undefined;
  /** Undefined where there is nothing at that path. */
  readonly diskSpace: (path: string) => DiskSpace | undefined;
  /** `major:minor` of the device that a path lies on; undefined where there is nothing. */
  readonly deviceOf: (path: string) => string | undefined;
  /** Who may use what is at a path; undefined where there is nothing. */
  readonly lookAt: LookAt;
  /** Listens for a moment. */
  readonly tryPort: (protocol: "tcp" | "udp", address: string, port: number) => Promise<PortState>;
  /** Standard output of a program that ended with exit code 0; undefined where it is missing or failed. */
  readonly output: (program: string, args: readonly string[]) => Promise<string | undefined>;
}
