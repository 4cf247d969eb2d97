import { lookup } from "node:dns/promises";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, messageOf } from "../../shared/errors.ts";
import { handshake } from "../../shared/handshake.ts";
import { addresses, listeners, routes } from "../../shared/net-tables.ts";
import { type ProbeAnswer, type ProbeQuestion, probeQuestion } from "../../shared/prober.ts";
import { getAll } from "./get.ts";
import { listenOn } from "./listen.ts";
import { reach } from "./reach.ts";
import { send } from "./send.ts";
import { sendEnvelopes } from "./send-envelopes.ts";

// Looks at a network namespace from inside: a question as JSON on stdin, the answer as JSON on stdout. It runs beside one
// component for a few seconds, while a deployment is verified, and never between.
const told = new AbortController();
process.once("SIGTERM", () => told.abort());

try {
  const question = probeQuestion.parse(JSON.parse(await text(process.stdin)));
  process.stdout.write(JSON.stringify(await answer(question)));
} catch (thrown) {
  process.stderr.write(`${messageOf(thrown).replaceAll(/\s+/g, " ")}\n`);
  process.exitCode = EXIT.failed;
}

async function answer(question: ProbeQuestion): Promise<ProbeAnswer> {
  // Before it listens itself.
  const seen = { listeners: listeners(), addresses: [...addresses()], routes: routes() };
  const ears = await listenOn(question.listen);
  const [reached, handshakes, names, sent, got, taken] = await Promise.all([
    Promise.all(question.reach.map(({ timeoutMs, ...target }) => reach(target, timeoutMs))),
    Promise.all(question.handshakes.map(handshake)),
    Promise.all(question.names.map(hasAddress)),
    Promise.all(question.send.map(send)),
    getAll(question.gets ?? [], question.timeoutMs),
    sendEnvelopes(question.envelopes ?? []),
  ]);
  if (question.listen.length > 0)
    await sleep(question.holdMs, undefined, { signal: told.signal }).catch(() => undefined);
  ears.close();
  return { ...seen, reach: reached, handshakes, names, sent, heard: [...ears.heard], got, taken };
}

async function hasAddress(name: string): Promise<boolean> {
  return lookup(name).then(
    () => true,
    () => false,
  );
}
