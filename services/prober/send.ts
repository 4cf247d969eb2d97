import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { ProbeQuestion } from "../../shared/prober.ts";

type Sent = ProbeQuestion["send"][number];

/** Long enough for a SYN and its first repetition (RFC 6298, section 2: 1 s). */
const SYN_MS = 1500;

/** Sends a datagram with a text, or the beginning of a connection; says whether the kernel took it. */
export function send({ host, port, protocol, text }: Sent): Promise<boolean> {
  return protocol === "udp" ? datagram(host, port, text) : beginning(host, port);
}

function datagram(host: string, port: number, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.on("error", () => undefined);
    socket.send(text, port, host, (error) => {
      socket.close();
      resolve(!error);
    });
  });
}

function beginning(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (sent: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(sent);
    };
    const timer = setTimeout(() => end(true), SYN_MS);
    socket.once("connect", () => end(true));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => end(code !== "ENETUNREACH" && code !== "EPERM"));
  });
}
