import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { readdirSync, readFileSync, realpathSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { lookAtHost } from "../../stacks/docker/life/host-path.ts";
import type { Machine, PortState } from "./machine.ts";

const run = promisify(execFile);
const PROGRAM_TIMEOUT_MS = 5000;

/** The machine that this process runs on. */
export function thisMachine(env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Machine {
  return {
    readText: (path) => attempt(() => readFileSync(path, "utf8")),
    listFolder: (path) => attempt(() => readdirSync(path).sort()),
    realPath: (path) => attempt(() => realpathSync(path)),
    diskSpace: (path) =>
      attempt(() => {
        const { bavail, blocks, bsize } = statfsSync(path);
        return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
      }),
    deviceOf: (path) => attempt(() => deviceName(statSync(path, { bigint: true }).dev)),
    lookAt: lookAtHost,
    tryPort,
    output: async (program, args) => {
      try {
        const { stdout } = await run(program, [...args], {
          env: { ...env, LC_ALL: "C" },
          signal,
          timeout: PROGRAM_TIMEOUT_MS,
        });
        return stdout;
      } catch {
        return undefined;
      }
    },
  };
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** `major:minor` of a Linux `dev_t` (makedev(3)). */
function deviceName(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn);
  return `${major}:${minor}`;
}

function tryPort(protocol: "tcp" | "udp", address: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const refused = ({ code }: NodeJS.ErrnoException) => resolve(stateOf(code));
    if (protocol === "udp") {
      const socket = createSocket("udp4");
      socket.once("error", (thrown) => {
        socket.close();
        refused(thrown);
      });
      socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve("free")));
      return;
    }
    const server = createServer();
    server.once("error", refused);
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve("free")));
  });
}

function stateOf(code: string | undefined): PortState {
  if (code === "EACCES" || code === "EPERM") return "forbidden";
  return code === "EADDRNOTAVAIL" ? "no-address" : "taken";
}
