// Run in a container's network namespace: one TLS connection, as JSON says. Prints the version that stays open, or why there is
// none; with a path, what HTTPS answers.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:tls";

const { path, ca, cert, key, ...rest } = JSON.parse(process.argv[2]);
const own = cert === undefined ? {} : { cert: readFileSync(cert), key: readFileSync(key) };
const options = { ...rest, ...own, ca: readFileSync(ca), timeout: 10_000 };

const say = (answer) => {
  process.stdout.write(JSON.stringify(answer), () => process.exit());
};

function handshake() {
  const socket = connect(options);
  // With TLS 1.3 a server refuses a client's certificate after the client has finished.
  socket.once("secureConnect", () => setTimeout(() => say(socket.getProtocol() ?? "no TLS"), 500));
  socket.once("error", ({ code }) => say(`refused (${code})`));
  socket.once("end", () => say("refused (closed)"));
  socket.once("timeout", () => say("refused (timeout)"));
  socket.resume();
}

function ask() {
  const call = request({ ...options, path, agent: false }, (response) => {
    const chunks = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("end", () => say({ status: response.statusCode, body: Buffer.concat(chunks).toString("utf8") }));
  });
  call.once("timeout", () => call.destroy(new Error("no answer")));
  call.once("error", ({ message }) => say({ status: 0, body: message }));
  call.end();
}

if (path === undefined) handshake();
else ask();
