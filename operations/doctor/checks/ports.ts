import { STATE_LABEL } from "../../../stacks/docker/labels.ts";
import { type PublishedPort, publishedPorts } from "../../../stacks/docker/ports.ts";
import type { DockerCli } from "../../../stacks/host/docker-cli.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine, PortState } from "../machine.ts";
import type { DoctorDeployment } from "../subject.ts";

/** A container that has a port. */
export interface PortHolder {
  readonly container: string;
  /** Label of its deployment's state directory; empty for a container that is none of TrustKern's. */
  readonly state: string;
}

/** A port that the deployment publishes, and what came of asking for it. */
export interface PortFacts {
  /** `<component>.<port>`. */
  readonly id: string;
  /** Such as `tcp 127.0.0.1:8883`. */
  readonly where: string;
  readonly state: PortState;
  readonly holder: PortHolder | undefined;
}

const { ok, bad } = findingsOf("ports");

/**
 * Asks for every published port, and for the container that has one which is taken.
 * @throws DOCKER_PORTS_SAME, DOCKER_PORTS_FULL
 */
export async function gatherPorts(
  { deployment, model }: DoctorDeployment,
  machine: Machine,
  docker: DockerCli,
): Promise<readonly PortFacts[]> {
  const address = deployment.docker.publishAddress;
  const facts: PortFacts[] = [];
  for (const { component, port, external } of publishedPorts(model.components, deployment)) {
    const state = await machine.tryPort(port.protocol, address, external);
    facts.push({
      id: `${component}.${port.name}`,
      where: `${port.protocol} ${address}:${external}`,
      state,
      holder: state === "taken" ? await holderOf({ port, external }, docker) : undefined,
    });
  }
  return facts;
}

/** Undefined also where docker does not answer: then the `docker` check says why. */
async function holderOf(
  { port, external }: Pick<PublishedPort, "port" | "external">,
  docker: DockerCli,
): Promise<PortHolder | undefined> {
  const format = `{{.Names}}\t{{.Label "${STATE_LABEL}"}}`;
  const filter = `publish=${external}/${port.protocol}`;
  const answer = await docker(["ps", "--filter", filter, "--format", format]).catch(() => undefined);
  const [container, state = ""] = answer?.stdout.split("\n")[0]?.split("\t") ?? [];
  return container ? { container, state } : undefined;
}

/**
 * Whether every published port is free, or held by the deployment itself.
 * @param own label of the deployment's state directory
 */
export function judgePorts(facts: readonly PortFacts[], own: string): readonly DoctorFinding[] {
  return facts.map(({ id, where, state, holder }) => {
    if (state === "free") return ok(`${id}: ${where} is free`);
    if (state === "no-address") return bad("problem", "DOCTOR_PORT_ADDRESS", `${id}: this machine has no ${where}`);
    if (state === "forbidden") {
      const message = `${id}: this user may not try ${where}`;
      return bad(
        "warning",
        "DOCTOR_NOT_CHECKED",
        message,
        "run `trustkern doctor` as root, or take a port from 1024 on",
      );
    }
    if (holder?.state === own) return ok(`${id}: ${where} is held by "${holder.container}", its own container`);
    const by = holder === undefined ? "another program" : `container "${holder.container}"`;
    return bad("problem", "DOCTOR_PORT_TAKEN", `${id}: ${where} is held by ${by}`);
  });
}
