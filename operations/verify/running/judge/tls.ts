import { nameConstraints } from "../../../../certs/name-constraints.ts";
import { LEAF_CLASSES } from "../../../../certs/names.ts";
import type { Model } from "../../../../model/boundary.ts";
import type { Deployment } from "../../../../model/deployment.ts";
import type { DockerPlan } from "../../../../stacks/docker/plan.ts";
import { servicesNamespace } from "../../../../stacks/host/services-namespace.ts";
import type { CheckResult } from "../../result.ts";
import type { Observation, Shown, TlsAttempt } from "../observation.ts";
import { neededShows } from "../observe/tls-shows.ts";
import { breach, count, resultOf } from "../result.ts";
import { away, type Standings, whyAway } from "./up.ts";

type Seen = Standings & Pick<Observation, "inside" | "tls" | "unshown" | "roots">;
type Named = Pick<Deployment, "tenant" | "engine" | "kubernetes">;
type Authorities = Pick<Observation, "constraints">;

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
export function judgeAccepted(seen: Seen, model: Model): CheckResult {
  const own = seen.tls.filter(({ shows }) => shows === "own");
  const memory =
    seen.unshown.length === 0 ? "" : `; ${seen.unshown.join(", ")}: their certificates are in memory alone`;
  return resultOf("running.tls.accepted", {
    looked: `${count(own.length, "handshake")} at ${count(portsOf(own).length, "port")}${memory}`,
    findings: own.flatMap((attempt) => {
      const { answer } = attempt;
      if (answer === undefined || isTaken(attempt) || whyAway(seen, attempt.to) !== undefined) return [];
      const why = answer.outcome === "taken" ? `it speaks ${answer.version}` : `${answer.outcome}: ${answer.why}`;
      return [breach("RUNNING_TLS_OWN", `${pathOf(attempt)}`, `${attempt.from} is not taken: ${why}`)];
    }),
    open: [...unmade(seen, own), ...unshownOf(own, model, ["own"])],
  });
}

/**
 * No port takes whom it has to refuse. A refusal counts only at a port that takes its own client meanwhile. A certificate of another
 * tenant that the deployment's own authorities made is refused by whoever verifies a chain, as long as they may name this tenant alone;
 * nobody but their keys could make one to be tried.
 */
export function judgeRefusals(seen: Seen & Authorities, model: Model, deployment: Named): CheckResult {
  const attempts = seen.tls.filter(({ shows }) => REFUSED.includes(shows));
  const revoked = portsOf(attempts.filter(({ shows }) => shows === "revoked"));
  const authorities = boundAuthorities(seen, deployment);
  return resultOf("running.tls.refused", {
    looked: `${count(attempts.length, "attempt")} at ${count(portsOf(attempts).length, "port")}; a revoked certificate at ${revoked.join(", ") || "none"}, since no other looks at revocation lists`,
    findings: [
      ...attempts
        .filter(({ answer }) => answer?.outcome === "taken")
        .map((attempt) => breach("RUNNING_TLS_TAKEN", pathOf(attempt), `it takes ${WORDS[attempt.shows]}`)),
      ...authorities.findings,
    ],
    open: [
      ...unmade(seen, attempts),
      ...attempts.flatMap((attempt) => unclear(seen, attempt)),
      ...unshownOf(attempts, model, REFUSED),
      ...authorities.open,
    ],
  });
}

function boundAuthorities({ constraints }: Authorities, deployment: Named) {
  if (!("answer" in constraints)) return { findings: [], open: [constraints.why] };
  const namespace = servicesNamespace(deployment);
  const unbound = LEAF_CLASSES.filter((leafClass) => {
    const wanted = Buffer.from(nameConstraints(leafClass, deployment.tenant, namespace).value).toString("hex");
    return constraints.answer.get(leafClass) !== wanted;
  });
  const domain = `this tenant's${namespace === undefined ? "" : `, or other Services than those of the namespace "${namespace}"`}`;
  const message = `it may name others than ${domain}, and every port would take them`;
  return {
    findings: unbound.map((leafClass) => breach("RUNNING_AUTHORITY", `authorities.${leafClass}`, message)),
    open: [],
  };
}

/** No port speaks what is older than TLS 1.3, in its network or from the host's side. */
export function judgeVersions(seen: Seen, plan: Pick<DockerPlan, "containers">, model: Model): CheckResult {
  const old = seen.tls.filter(({ shows }) => shows === "old-version");
  const spoken = seen.tls.filter(({ answer }) => answer?.version && answer.version !== "TLSv1.3");
  return resultOf("running.tls.version", {
    looked: `${count(old.length, "attempt")} at ${count(portsOf(old).length, "port")}${plan.containers.length === 0 ? "" : ", published ones from the host's side too"}`,
    findings: spoken.map((attempt) =>
      breach("RUNNING_TLS_VERSION", pathOf(attempt), `it speaks ${attempt.answer?.version} with ${attempt.from}`),
    ),
    open: [
      ...unmade(seen, old),
      ...old.flatMap((attempt) => unclear(seen, attempt)),
      ...unshownOf(
        old.filter(({ from }) => from !== "host"),
        model,
        ["old-version"],
      ),
      ...unaskedFromHost(old, plan),
    ],
  });
}

/** What a port of the model was not shown, and what can prove nothing where there is no such port at all. */
function unshownOf(attempts: readonly TlsAttempt[], model: Model, kinds: readonly Shown[]): readonly string[] {
  const needed = neededShows(model);
  if (needed.size === 0) return ["no port was asked"];
  const done = new Set(attempts.map(({ to, port, shows }) => `${to}.${port} ${shows}`));
  return [...needed].flatMap(([port, shows]) =>
    kinds
      .filter((kind) => shows.has(kind) && !done.has(`${port} ${kind}`))
      .map((kind) => `${port} was not shown ${WORDS[kind]}`),
  );
}

function unaskedFromHost(
  old: readonly TlsAttempt[],
  { containers }: Pick<DockerPlan, "containers">,
): readonly string[] {
  return containers.flatMap(({ name, ports }) => {
    const published = ports.filter(({ protocol }) => protocol === "tcp").length;
    const asked = portsOf(old.filter(({ from, to }) => from === "host" && to === name)).length;
    return asked < published ? [`a published port of ${name} was not asked from the host's side`] : [];
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
  const why = attempts
    .filter(({ answer }) => answer === undefined)
    .map(({ from }) => {
      const seen = inside.get(from);
      return seen !== undefined && "why" in seen ? seen.why : `the probe beside ${from} did not answer`;
    });
  const unseen = [...inside].flatMap(([, seen]) => ("why" in seen ? [seen.why] : []));
  return [...(roots === undefined ? [] : [roots]), ...away({ components }), ...unseen, ...why];
}

function portsOf(attempts: readonly TlsAttempt[]): readonly string[] {
  return [...new Set(attempts.map(({ to, port }) => `${to}.${port}`))];
}

function pathOf({ to, port }: TlsAttempt): string {
  return `containers.${to}.ports.${port}`;
}
