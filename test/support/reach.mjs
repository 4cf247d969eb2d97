// Run in a container's network namespace: tries addresses given as JSON, and prints which of them answer.
import { createSocket } from "node:dgram";
import { connect } from "node:net";

const targets = JSON.parse(process.argv[2]);

const tcp = ({ host, port }) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1500 });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    // A refusal comes from the other host, so it was reached.
    socket.once("connect", () => end("connected"));
    socket.once("error", ({ code }) => end(code === "ECONNREFUSED" ? "refused" : `not reached (${code})`));
    socket.once("timeout", () => end("not reached (timeout)"));
  });

const udp = ({ host, port, payload }) =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    let over = false;
    const end = (answer) => {
      if (over) return;
      over = true;
      socket.close();
      resolve(answer);
    };
    socket.once("message", () => end("connected"));
    socket.once("error", ({ code }) => end(code === "ECONNREFUSED" ? "refused" : `not reached (${code})`));
    socket.connect(port, host, (error) => {
      if (error) end(`not reached (${error.code})`);
      else socket.send(Buffer.from(payload, "hex"));
    });
    setTimeout(() => end("not reached (timeout)"), 1500);
  });

const answers = await Promise.all(
  targets.map(async (target) => ({ ...target, answer: await (target.protocol === "udp" ? udp : tcp)(target) })),
);
process.stdout.write(JSON.stringify(answers));
