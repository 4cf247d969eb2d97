import { X509Certificate } from "node:crypto";
import { normalSerial } from "../../certs/serial.ts";
import { messageOf, TrustKernError } from "../../shared/errors.ts";
import { newlyRevoked } from "../runtime/broker-trust/crl-set.ts";
import { type BrokerTrust, fetchTrust } from "../runtime/broker-trust/feed.ts";
import { readOwnTls } from "../runtime/broker-trust/own-tls.ts";
import type { TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";
import type { ServiceContext } from "../runtime/run.ts";
import { readText, type Tls13Options } from "../runtime/tls.ts";
import type { GuardConfig } from "./config.ts";
import { createGuardCounters, type GuardCounters } from "./counters.ts";
import type { PublishStep } from "./crl-file.ts";
import { endSessions } from "./end-sessions.ts";
import { CRL_FILE, type Force, type ForceOptions, isInForce, putInForce } from "./in-force.ts";
import { createLatecomers } from "./latecomers.ts";
import { raise, readMemory, writeMemory } from "./memory.ts";
import { createMosquitto } from "./mosquitto.ts";
import { hasOwnList, planForce, usableForce } from "./plan-force.ts";
import { probeAll } from "./probes.ts";
import { createSessionAges } from "./session-ages.ts";
import { nameOf, planEnds } from "./whose-sessions.ts";

/** Milliseconds after which a broker that works is probed again, though nothing changed. */
const PROBE_AGAIN_MS = 60_000;

/** Probes in a row to which a broker may say nothing, as one that is busy does. */
const MOST_SILENT = 3;

/** What the guard tells beside its log. */
export interface GuardOptions {
  /** Told the exit code when Mosquitto ended by itself. */
  readonly onDeath: (code: number) => void;
  /** A line of Mosquitto's log. */
  readonly onLine: (line: string) => void;
  /** Told each step of a publish before it is done. @default nobody */
  readonly onStep?: (step: PublishStep) => void;
}

/** A guard that looks after its broker. */
export interface Guard {
  readonly counters: Readonly<GuardCounters>;
  /** What Mosquitto works with; nothing while that is not known. */
  readonly force: () => Force | undefined;
  /** Why the broker is not as it must be; undefined while it runs on valid lists and was seen to refuse what is revoked. */
  readonly reason: () => string | undefined;
  /** One look at files, feed and broker; called again and again, one after the other. Never rejects. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A guard whose broker is started by its first look. */
export function createGuard({ config, events, log, now }: ServiceContext<GuardConfig>, options: GuardOptions): Guard {
  const { stateDir, liveDir, listener, mosquitto: program } = config;
  const { onDeath, onLine, onStep = () => undefined } = options;
  const counters = createGuardCounters();
  const latecomers = createLatecomers();
  const ages = createSessionAges({ mostSeconds: config.sessionSeconds, now });
  const mosquitto = createMosquitto({
    command: [program.program, "-c", program.configFile],
    env: { OPENSSL_CONF: program.opensslFile },
    onLine: (line) => {
      latecomers.hear(line);
      ages.hear(line);
      onLine(line);
    },
    onDeath,
  });
  const listeners = [listener, ...(config.servicesListener ? [config.servicesListener] : [])];
  const tools: ForceOptions = { mosquitto, liveDir, stateDir, forServices: listeners.length > 1, now, onStep };
  let memory = readMemory(stateDir);
  let own: Tls13Options | undefined;
  let feed: BrokerTrust = { crls: [], ended: [] };
  let force: Force | undefined;
  let fault: string | undefined = "starting";
  let probed: { readonly problem: string | undefined; readonly at: number } = { problem: "not probed", at: 0 };
  let silent = 0;
  let said: ReadonlySet<string> = new Set();

  /** What was refused is said once, and again when it comes back after it was gone. */
  const say = (refusals: readonly string[]): void => {
    for (const refusal of refusals.filter((each) => !said.has(each))) {
      counters.crlsRefused += 1;
      events.emit({ kind: "CRL_REJECTED", object: CRL_FILE, reason: refusal });
    }
    said = new Set(refusals);
  };

  const readOwn = (): Tls13Options => {
    try {
      own = readOwnTls(config.tls);
    } catch (thrown) {
      if (own === undefined) throw thrown;
      counters.pairsRefused += 1;
      log.error({ reason: messageOf(thrown) }, "the broker's own files are not taken, and the old ones stay");
    }
    return own;
  };

  const ask = async (tls: Tls13Options): Promise<void> => {
    try {
      feed = await fetchTrust(config.trust, tls);
    } catch (thrown) {
      counters.feedFailures += 1;
      log.warn({ reason: messageOf(thrown) }, "the backend does not say what is revoked, and the old lists stay");
    }
  };

  const probe = async (next: Force): Promise<void> => {
    const { tls } = next;
    const revoked = { ...tls, cert: readText(config.probe.certFile), key: readText(config.probe.keyFile) };
    const expected = hasOwnList(next) ? "good" : "closed";
    const result = await probeAll(listeners, tls, revoked, expected);
    probed = { problem: result === expected ? undefined : `probe-${result}`, at: now() };
    silent = result === "silent" ? silent + 1 : 0;
    if (result === expected) return;
    counters.probeFailures += 1;
    events.emit({ kind: "CRL_REJECTED", object: CRL_FILE, reason: `probe-${result}` });
    // No broker is better than one that accepts what is revoked, or nobody: the next look starts it anew.
    if (result === "unclear" || (result === "silent" && silent < MOST_SILENT)) return;
    silent = 0;
    await mosquitto.stop();
  };

  const install = async (next: Force, before: Force | undefined): Promise<void> => {
    force = undefined;
    if (await putInForce(next, before, tools)) counters.restarts += 1;
    force = next;
    const isNew = ({ pem }: TrustedCrl): boolean => !before?.crls.some((old) => old.pem === pem);
    for (const { issuer, number } of next.crls.filter(isNew)) {
      counters.crlsPublished += 1;
      events.emit({ kind: "CRL_PUBLISHED", object: issuer, reason: String(number) });
    }
    onStep("probe");
    await probe(next);
    onStep("remember");
    memory = { ...memory, least: raise(memory.least, next.crls) };
    writeMemory(stateDir, memory);
  };

  const end = async (before: readonly TrustedCrl[], { crls, tls }: Force): Promise<void> => {
    const { serialNumber } = new X509Certificate(readText(config.probe.certFile));
    // The probe is revoked from its first day, and has no session.
    const revoked = newlyRevoked(before, crls).filter(({ serial }) => serial !== normalSerial(serialNumber));
    const acl = readText(program.aclFile);
    const plan = { tenant: config.tenant, ended: feed.ended, after: memory.seq, revoked, acl };
    const { named: ended, users: named, everybody } = planEnds(plan);
    const tooOld = ages.take();
    const users = [...new Set([...named, ...latecomers.take(), ...tooOld])];
    if (!mosquitto.running() || (users.length === 0 && !everybody)) return;
    try {
      if (everybody) throw new Error("nobody says whose certificate was revoked");
      await endSessions(listener, tls, users);
    } catch (thrown) {
      log.warn({ reason: messageOf(thrown) }, "the broker starts anew, which ends all sessions");
      await mosquitto.stop();
    }
    counters.sessionsEnded += users.length;
    counters.sessionsTooOld += tooOld.length;
    const old = tooOld.map((user) => ({ name: nameOf(user), reason: "session-too-old" }));
    for (const { name, reason } of [...ended, ...old]) events.emit({ kind: "SESSION_ENDED", object: name, reason });
    memory = { ...memory, seq: Math.max(memory.seq, ...ended.map(({ seq }) => seq)) };
    writeMemory(stateDir, memory);
  };

  const look = async (): Promise<void> => {
    const tls = readOwn();
    await ask(tls);
    const { force: planned, refusals } = planForce({
      ...{ tls, stateDir, feed, crlFile: config.crlFile },
      ...{ least: memory.least, now: new Date(now()) },
    });
    say(refusals);
    const before = force;
    const { force: next, fault: problem } = usableForce(planned, before, mosquitto.running());
    if (!isInForce(next, before, tools)) await install(next, before);
    else if (probed.problem !== undefined || now() - probed.at > PROBE_AGAIN_MS) await probe(next);
    await end(before?.crls ?? next.crls, next);
    // A broker that was stopped to end its sessions is started at once, and not in some seconds.
    if (!mosquitto.running() && probed.problem === undefined) await install(next, undefined);
    if (problem !== undefined) throw problem;
  };

  return {
    counters,
    force: () => force,
    reason: () => fault ?? probed.problem ?? (mosquitto.running() ? undefined : "stopped"),
    look: async () => {
      try {
        await look();
        fault = undefined;
      } catch (thrown) {
        fault = thrown instanceof TrustKernError ? thrown.code : messageOf(thrown);
        log.error({ reason: messageOf(thrown) }, "the broker is not as it must be");
      }
    },
    stop: mosquitto.stop,
  };
}
