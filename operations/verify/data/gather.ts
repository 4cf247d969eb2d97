import { randomBytes } from "node:crypto";
import { observe } from "../../../stacks/docker/life/health.ts";
import { probeImage } from "../probe/probe-image.ts";
import { sweepProbes } from "../probe/run-probe.ts";
import type { DataObservation } from "./judge.ts";
import { dockerWays } from "./message/docker-ways.ts";
import { nowhere, reasonUnlessOver, travel } from "./message/journey.ts";
import { makeMarker } from "./message/marker.ts";
import { searchPlaces } from "./search-places.ts";
import type { DataSubject } from "./subject.ts";
import { unwellIn } from "./unwell.ts";

/**
 * Sends a marked message through every gateway, with packets captured everywhere, and then searches every place.
 * @throws DOCKER_UNREACHABLE, DOCKER_MISSING, DEPLOY_CANCELLED
 */
export async function gatherData(subject: DataSubject): Promise<DataObservation> {
  const { docker, rendered, images, onProgress } = subject;
  const { components } = rendered.model;
  const now = () => observe({ docker, layout: rendered.layout }, components);
  const observed = await now();
  const gateways = components.filter(({ service }) => service === "gateway").map(({ name }) => name);
  const markers = gateways.map((gateway) => makeMarker(gateway, subject.random ?? randomBytes));
  const running = [...observed].flatMap(([name, { container }]) => (container?.State.Running === true ? [name] : []));
  await sweepProbes(docker);
  const image = await probeImage(docker, images).catch(reasonUnlessOver);
  const journey =
    typeof image !== "string" || markers.length === 0
      ? nowhere(typeof image === "string" ? NO_GATEWAY : image.reason, subject.clock().getTime())
      : await travel(subject, dockerWays(subject, image, running), markers);
  onProgress("searching for the message outside of the boundary");
  const containers = new Map([...observed].flatMap(([name, { container }]) => (container ? [[name, container]] : [])));
  const found = await searchPlaces(subject, typeof image === "string" ? image : undefined, {
    markers,
    journey,
    containers,
  });
  const { unsent, deliveries, elsewhere, aftermath } = journey;
  const unwell = unwellIn(components, observed, await now());
  return { unsent, deliveries, elsewhere, unwell, ...found, aftermath };
}

const NO_GATEWAY = "the deployment has no gateway of its own, so no message can be sent the way of sensors";
