import type { CheckResult } from "../../result.ts";
import type { Observation, Shown, TlsAttempt } from "../observation.ts";
import { breach, count, resultOf } from "../result.ts";

type Seen = Pick<Observation, "components" | "inside" | "tls" | "unshown" | "roots">;

const WORDS: Readonly<Record<Shown, string>> = {
  own: "its own certificate",
  nothing: "no certificate",
  "other-root": "a certificate of another root",
  "other-tenant": "a certificate of another tenant",
  revoked: "a certificate that is revoked",
  "old-version": "TLS 1.2 or older",
  host: "TLS 1.3",
};

const REFUSED: readonly Shown[] = ["nothing", "other-root", "other-tenant", "revoked"];

/** Every port takes its own clients by TLS 1.3, and shows them a certificate of the deployment. */
export function judgeAccepted(seen: Seen): CheckResult {
  const own = seen.tls.filter(({ shows }) => shows === "own");
  const memory =
    seen.unshown.length === 0 ? "" : `; ${seen.unshown.join(", ")}: their certificates are in memory alone`;
  return resultOf("running.tls.accepted", {
    looked: `${count(own.length, "handshake")} at ${count(portsOf(own).length, "port")}${memory}`,
    findings: own.flatMap((attempt) => {
      const { answer } = attempt;
      if (answer === undefined || isTaken(attempt)) return [];
      const why = answer.outcome === "taken" ? `it speaks ${answer.version}` : `${answer.outcome}: ${answer.why}`;
      return [breach("RUNNING_TLS_OWN", `${pathOf(attempt)}`, `${attempt.from} is not taken: ${why}`)];
    }),
    open: [...unmade(seen, own), ...(own.length === 0 ? ["no port was asked"] : [])],
  });
}

/** No port takes whom it has to refuse. A refusal counts only at a port that takes its own client meanwhile. */
export function judgeRefusals(seen: Seen): CheckResult {
  const attempts = seen.tls.filter(({ shows }) => REFUSED.includes(shows));
  const revoked = portsOf(attempts.filter(({ shows }) => shows === "revoked"));
  const lists = revoked.length === 0 ? "none looks at revocation lists" : `revoked ones: ${revoked.join(", ")}`;
  return resultOf("running.tls.refused", {
    looked: `${count(attempts.length, "attempt")} at ${count(portsOf(attempts).length, "port")} (${lists}, whose program alone has the lists in the handshake)`,
    findings: attempts
      .filter(({ answer }) => answer?.outcome === "taken")
      .map((attempt) => breach("RUNNING_TLS_TAKEN", pathOf(attempt), `it takes ${WORDS[attempt.shows]}`)),
    open: [
      ...unmade(seen, attempts),
      ...attempts.flatMap((attempt) => unclear(seen, attempt)),
      ...(attempts.length === 0 ? ["no port was asked"] : []),
    ],
  });
}

/** No port speaks what is older than TLS 1.3, in its network or from the host's side. */
export function judgeVersions(seen: Seen): CheckResult {
  const old = seen.tls.filter(({ shows }) => shows === "old-version");
  const spoken = seen.tls.filter(({ answer }) => answer?.version && answer.version !== "TLSv1.3");
  return resultOf("running.tls.version", {
    looked: `${count(old.length, "attempt")} at ${count(portsOf(old).length, "port")}, published ones from the host's side too`,
    findings: spoken.map((attempt) =>
      breach("RUNNING_TLS_VERSION", pathOf(attempt), `it speaks ${attempt.answer?.version} with ${attempt.from}`),
    ),
    open: [
      ...unmade(seen, old),
      ...old.flatMap((attempt) => unclear(seen, attempt)),
      ...(old.length === 0 ? ["no port was asked"] : []),
    ],
  });
}

/** Why a refusal proves nothing: the port takes nobody, was not there, or refused for another reason. */
function unclear({ tls }: Seen, attempt: TlsAttempt): readonly string[] {
  const { answer, shows, from } = attempt;
  if (answer === undefined || answer.outcome === "taken") return [];
  const port = `${attempt.to}.${attempt.port}`;
  if (answer.outcome === "away" || answer.outcome === "untrusted")
    return [`${port} with ${WORDS[shows]}: ${answer.why}`];
  if (shows === "revoked" && !/REVOKED/i.test(answer.why))
    return [`${port} refused a revoked certificate for ${answer.why}`];
  const alive = tls.some(
    (other) =>
      other.to === attempt.to &&
      other.port === attempt.port &&
      (from === "host"
        ? other.shows === "host" && other.answer?.version === "TLSv1.3"
        : other.shows === "own" && isTaken(other)),
  );
  return alive ? [] : [`${port} takes nobody, so its refusals show nothing`];
}

function isTaken({ answer }: TlsAttempt): boolean {
  return answer?.outcome === "taken" && answer.version === "TLSv1.3";
}

/** Attempts that were not made, and components that do not run. */
function unmade({ components, inside, roots }: Seen, attempts: readonly TlsAttempt[]): readonly string[] {
  const away = [...components].flatMap(([name, { condition, container }]) =>
    condition === "done" || container?.State.Running === true ? [] : [`${name} does not run`],
  );
  const why = attempts
    .filter(({ answer }) => answer === undefined)
    .map(({ from }) => {
      const seen = inside.get(from);
      return seen !== undefined && "why" in seen ? seen.why : `the probe beside ${from} did not answer`;
    });
  const unseen = [...inside].flatMap(([, seen]) => ("why" in seen ? [seen.why] : []));
  return [...(roots === undefined ? [] : [roots]), ...away, ...unseen, ...why];
}

function portsOf(attempts: readonly TlsAttempt[]): readonly string[] {
  return [...new Set(attempts.map(({ to, port }) => `${to}.${port}`))];
}

function pathOf({ to, port }: TlsAttempt): string {
  return `containers.${to}.ports.${port}`;
}
