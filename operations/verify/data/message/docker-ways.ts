import { hexOf } from "../../../../protocol/hex.ts";
import { dockerSite } from "../../../../stacks/docker/life/certs-site.ts";
import { publishedEndpoint } from "../../../../stacks/docker/life/published-endpoint.ts";
import { hostSocket } from "../../../../stacks/docker/mounts.ts";
import { controlOf } from "../../../../stacks/host/first-steps.ts";
import { askProber } from "../../probe/ask-prober.ts";
import type { DataSubject } from "../subject.ts";
import { startCapture } from "./capture.ts";
import { dockerRows } from "./docker-rows.ts";
import type { Sealed, Ways } from "./ways.ts";

/** Longest that packets are captured, and that gateways may take to answer; in milliseconds. */
const LIMIT_MS = { capture: 240_000, answer: 20_000 } as const;

/**
 * How the layer reaches a deployment on Docker.
 * @param running names of the containers that run
 */
export function dockerWays(subject: DataSubject, image: string, running: readonly string[]): Ways {
  const { docker, signal, rendered } = subject;
  return {
    components: rendered.model.components,
    operator: async () => (await dockerSite(subject, "trustkern verify boundary")).operator(),
    control: controlOf((component, socket) => hostSocket(rendered.layout, component, socket)),
    send: (sealed) => sendAll(subject, image, sealed),
    rows: () => dockerRows(subject),
    capture: () => Promise.all(running.map((name) => startCapture(docker, image, name, LIMIT_MS.capture, signal))),
  };
}

/** From this host, to the port that is published. @throws PROBE_FAILED, DOCKER_UNREACHABLE */
async function sendAll(
  { docker, rendered }: DataSubject,
  image: string,
  sealed: readonly Sealed[],
): Promise<readonly string[]> {
  const envelopes = sealed.map(({ marker, envelope }) => ({
    ...publishedEndpoint(rendered.plan, marker.gateway),
    bytes: hexOf(envelope),
  }));
  const asking = { container: "host", question: { envelopes }, timeoutMs: LIMIT_MS.answer };
  const { taken = [] } = await askProber(docker, image, asking);
  return sealed.map((_, index) => {
    const answer = taken[index] ?? { why: "no answer" };
    return "why" in answer ? answer.why : `${answer.code} ${answer.text}`.trim();
  });
}
