import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { REACHED, Target } from "../../shared/prober.ts";

type Reached = (typeof REACHED)[number];

/** A CoAP ping (RFC 7252, section 4.3): an empty confirmable message, which every endpoint answers with a reset. */
const COAP_PING = Buffer.from("40000001", "hex");

/** What a target's port answers, over TCP to a connection and over UDP to a CoAP ping. */
export function reach(target: Target, timeoutMs: number): Promise<Reached> {
  return target.protocol === "tcp" ? reachTcp(target, timeoutMs) : reachUdp(target, timeoutMs);
}

function reachTcp({ host, port }: Target, timeoutMs: number): Promise<Reached> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => end("silent"), timeoutMs);
    const end = (reached: Reached): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", () => end("connected"));
    socket.once("error", (error) => end(reachedBy(error)));
  });
}

function reachUdp({ host, port }: Target, timeoutMs: number): Promise<Reached> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const timer = setTimeout(() => end("silent"), timeoutMs);
    let over = false;
    const end = (reached: Reached): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.close();
      resolve(reached);
    };
    socket.once("message", () => end("connected"));
    socket.on("error", (error) => end(reachedBy(error)));
    // Connected, so that the kernel tells of an ICMP answer.
    socket.connect(port, host, (error?: Error) => {
      if (error) end(reachedBy(error));
      else socket.send(COAP_PING, (failure) => failure && end(reachedBy(failure)));
    });
  });
}

/** A kernel without a route says so at once; a router's word that nobody is there comes later, and means the same here. */
function reachedBy(error: NodeJS.ErrnoException): Reached {
  return error.code === "ECONNREFUSED" || error.code === "ECONNRESET" ? "refused" : "unreachable";
}
