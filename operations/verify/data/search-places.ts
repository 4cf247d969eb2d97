import { existsSync } from "node:fs";
import type { Inspected } from "../../../stacks/docker/life/inspect.ts";
import { containerLogs } from "../search/container-logs.ts";
import { askFromPrometheus } from "./ask.ts";
import type { PlaceCheck } from "./judge.ts";
import type { Source } from "./look.ts";
import type { Capture } from "./message/capture.ts";
import type { Journey } from "./message/journey.ts";
import type { Marker } from "./message/marker.ts";
import { type Ask, lokiAnswers, lokiStrays, prometheusAnswers } from "./places/answers.ts";
import { engineSources } from "./places/engine.ts";
import { filesSource, writableSources } from "./places/volumes.ts";
import { type Found, searchSources } from "./search-sources.ts";
import { openOnDocker, settle } from "./settle.ts";
import type { DataSubject } from "./subject.ts";

/** What was sent, and by which containers. */
export interface SearchSubject {
  readonly markers: readonly Marker[];
  readonly journey: Journey;
  readonly containers: ReadonlyMap<string, Inspected>;
}

/** Searches every place, for the plaintext and for what has to be there. */
export async function searchPlaces(
  subject: DataSubject,
  image: string | undefined,
  sent: SearchSubject,
): Promise<Found> {
  const ask = image === undefined ? nobody : askFromPrometheus(subject, image);
  const unsettled = await settle(subject, openOnDocker(subject, ask, sent.journey.storedAt), sent.journey);
  const sources = sourcesOf(subject, ask, sent);
  return searchSources({ ...sent, unsettled, sources, inside: insideOf(subject, sent) });
}

const nobody: Ask = () => Promise.reject(new Error("there is no probe that could ask"));

function insideOf({ rendered }: DataSubject, { containers, journey }: SearchSubject): readonly Source[] {
  const { layout, model } = rendered;
  return writableSources({ components: model.components, containers, layout, since: journey.madeAt }, ["decryption"]);
}

function sourcesOf(
  subject: DataSubject,
  ask: Ask,
  { journey, containers }: SearchSubject,
): Readonly<Record<PlaceCheck, readonly Source[]>> {
  const { docker, rendered } = subject;
  const { layout, model } = rendered;
  const since = journey.madeAt;
  const files = { components: model.components, containers, layout, since };
  const names = model.components.map(({ name }) => name);
  const only = (name: string) => ({ ...files, components: model.components.filter((each) => each.name === name) });
  return {
    "data.broker": writableSources(files, ["ingress"]),
    "data.gateway": writableSources(files, ["edge", "device"]),
    "data.operations": writableSources(files, ["operations"]),
    "data.logs": [
      ...names.map((name) => ({ name: `docker logs of ${name}`, places: () => containerLogs(docker, name, since) })),
      { name: "Loki", places: () => lokiAnswers(ask, since) },
      { name: "Loki", places: () => lokiStrays(ask, since) },
      ...(existsSync(layout.logsDir) ? [filesSource("logs", layout.logsDir, since)] : []),
    ],
    "data.metrics": [
      { name: "Prometheus", places: () => prometheusAnswers(ask) },
      ...writableSources(only("prometheus"), ["operations"]),
    ],
    "data.traffic": journey.captures.map(captureSource),
    "data.engine": engineSources(subject, [...containers.keys()], since),
  };
}

function captureSource({ container, bytes, fault }: Capture): Source {
  const name = `traffic of ${container}`;
  return {
    name,
    async *places(onUnread) {
      if (fault !== null) onUnread(fault);
      yield { name, content: bytes };
    },
  };
}
