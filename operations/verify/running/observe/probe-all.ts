import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { INSIDE } from "../../../../stacks/docker/placement.ts";
import type { Layout } from "../../../../stacks/host/layout.ts";
import { PROBE } from "../../../../stacks/host/leaves.ts";
import type { Answered, HostAttempt, HostWatch, Observation, ReachAttempt, TlsAttempt } from "../observation.ts";
import type { RunningSubject } from "../subject.ts";
import { ask, HELPERS, reasonOf, type Unseen } from "./ask.ts";
import { rootsOf } from "./facts.ts";
import { forgeCertificates } from "./forged.ts";
import { hostAttempts } from "./host-questions.ts";
import { watchHost } from "./host-watch.ts";
import { inTurn } from "./in-turn.ts";
import { sendingsOf } from "./outside.ts";
import { type ReachGround, reachAttempts } from "./reach-questions.ts";
import { REVOKED_FOLDER, tlsQuestions } from "./tls-questions.ts";
import type { TlsQuestions } from "./tls-shows.ts";

/** Name that somebody outside has, and nobody inside (RFC 2606). */
const OUTSIDE_NAME = "example.com";

/** How long a port that has to be refused may be silent, and one of a flow may take to answer, in milliseconds. */
const SILENT_MS = 1500;
const FLOW_MS = 8000;

type Probed = Pick<
  Observation,
  "reach" | "tls" | "unshown" | "hostReach" | "hostListeners" | "resolves" | "watch" | "roots"
>;

/** What one helper tries, and what comes of it. */
interface Batch {
  readonly from: string;
  readonly reach: readonly ReachAttempt[];
  readonly hostReach: readonly HostAttempt[];
  readonly tls: readonly TlsAttempt[];
  readonly resolves: boolean | undefined;
}

/**
 * Tries every port and every handshake, from inside each container and from the host's side, while the host's network is watched.
 * @param image what `docker run` calls the image, or why there is none
 */
export async function probeAll(subject: RunningSubject, image: string | Unseen, ground: ReachGround): Promise<Probed> {
  const { docker, signal, rendered } = subject;
  const sources = [...ground.inside].flatMap(([name, seen]) => ("answer" in seen ? [name] : []));
  const port = randomInt(20_000, 30_000);
  const roots = rootsOf(rendered.layout.authoritiesDir);
  const tls = await questionsOf(subject, ground, roots);
  const reach = reachAttempts(ground);
  const host = await ask(subject, image, { container: "host", question: {} });
  const hostListeners = "answer" in host ? { answer: host.answer.listeners } : host;
  const batches: readonly Batch[] = [...ground.inside.keys(), "host"].map((from) => ({
    from,
    reach: reach.filter((one) => one.from === from).map((one) => ({ ...one, reached: undefined })),
    hostReach: from === "host" ? [] : hostAttempts(from, ground, port, "answer" in host ? host.answer : undefined),
    tls: tls.attempts.filter((one) => one.from === from).map((one) => ({ ...one, answer: undefined })),
    resolves: undefined,
  }));
  let probed = batches;
  const probing = async (): Promise<void> => {
    probed = await inTurn(batches, HELPERS, (batch) => probeFrom(subject, image, batch, sources));
  };
  const watch = await watched(image, probing, (name) =>
    watchHost({ docker, signal, image: name }, port, sources, probing),
  );
  return {
    ...{ watch, hostListeners },
    roots: "answer" in roots ? undefined : roots.why,
    unshown: tls.unshown,
    reach: probed.flatMap((batch) => batch.reach),
    hostReach: probed.flatMap((batch) => batch.hostReach),
    tls: probed.flatMap((batch) => batch.tls),
    resolves: new Map(
      probed.flatMap(({ from, resolves }) => (resolves === undefined ? [] : [[from, resolves] as const])),
    ),
  };
}

/** The ports are probed also where the host cannot be watched. */
async function watched(
  image: string | Unseen,
  probing: () => Promise<void>,
  watch: (image: string) => Promise<HostWatch>,
): Promise<Answered<HostWatch>> {
  if (typeof image !== "string") return image;
  try {
    return { answer: await watch(image) };
  } catch (thrown) {
    const reason = reasonOf(thrown);
    await probing();
    return reason;
  }
}

async function questionsOf(
  { rendered, deployment, clock }: RunningSubject,
  ground: ReachGround,
  roots: Answered<string>,
): Promise<TlsQuestions> {
  if (!("answer" in roots)) return { attempts: [], unshown: [] };
  const forged = await forgeCertificates(rendered.model, deployment.tenant, clock);
  const withRevoked = revokedFiles(rendered.layout).every((file) => existsSync(file));
  return tlsQuestions({ ...ground, roots: roots.answer, forged, withRevoked });
}

async function probeFrom(
  subject: RunningSubject,
  image: string | Unseen,
  batch: Batch,
  sources: readonly string[],
): Promise<Batch> {
  const { from, reach, hostReach, tls } = batch;
  const asHost = from === "host";
  if (!asHost && !sources.includes(from)) return batch;
  const seen = await ask(subject, image, {
    container: from,
    mounts: mountsOf(subject.rendered.layout, batch),
    question: {
      reach: [
        ...reach.map(({ target, flow }) => ({ ...target, timeoutMs: flow === undefined ? SILENT_MS : FLOW_MS })),
        ...hostReach.map(({ target }) => ({ ...target, timeoutMs: SILENT_MS })),
      ],
      handshakes: tls.map(({ handshake }) => handshake),
      names: asHost ? [] : [OUTSIDE_NAME],
      send: asHost ? [] : [...sendingsOf(from, sources)],
    },
  });
  if (!("answer" in seen)) return batch;
  const { answer } = seen;
  return {
    from,
    reach: reach.map((one, at) => ({ ...one, reached: answer.reach[at] })),
    hostReach: hostReach.map((one, at) => ({ ...one, reached: answer.reach[reach.length + at] })),
    tls: tls.map((one, at) => ({ ...one, answer: answer.handshakes[at] })),
    resolves: answer.names[0],
  };
}

/** A component's own secrets, for its own handshakes; and the certificate that is revoked on purpose, where it is shown. */
function mountsOf(layout: Layout, { from, tls }: Batch): readonly { source: string; target: string }[] {
  const own = tls.some(({ handshake }) => handshake.cert !== undefined && "file" in handshake.cert);
  const revoked = tls.some(({ shows }) => shows === "revoked") ? revokedFiles(layout) : [];
  return [
    ...(own ? [{ source: join(layout.secretsDir, from), target: INSIDE.secrets }] : []),
    ...revoked.map((source) => ({ source, target: `${REVOKED_FOLDER}/${basename(source)}` })),
  ];
}

function revokedFiles({ secretsDir }: Layout): readonly string[] {
  return [PROBE.cert, PROBE.key].map((name) => join(secretsDir, "broker", name));
}
