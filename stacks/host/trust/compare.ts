import { join } from "node:path";
import type { Finding } from "../../../shared/finding.ts";
import { shown } from "../../../shared/shown.ts";
import { trustErrors } from "./errors.ts";
import { FACTS, type StartManifest } from "./manifest.ts";
import type { ObservedContainer } from "./observe.ts";
import type { StartPlace } from "./place.ts";
import { reasonsAgainst } from "./strangers.ts";

/** One thing that is wrong, with its catalogue line's fix. */
export function startFinding(code: keyof typeof trustErrors.entries, path: string, message: string): Finding {
  return { code, path, message, fix: trustErrors.entries[code].fix };
}

/** How each container differs from the manifest's, those that are missing, and those that have no business here. */
export function compareContainers(
  manifest: StartManifest,
  containers: readonly ObservedContainer[],
  place: StartPlace,
): readonly Finding[] {
  const found = new Map(containers.map((container) => [container.name, container]));
  const own = Object.entries(manifest.containers).flatMap(([name, expected]) => {
    const container = found.get(name);
    if (container === undefined) {
      return [
        startFinding("START_CONTAINER_MISSING", `containers.${name}`, "the manifest names it, and it is not there"),
      ];
    }
    return FACTS.flatMap((fact) => {
      const difference = differenceOf(expected[fact], container.facts[fact]);
      return difference === undefined
        ? []
        : [startFinding("START_CONTAINER_CHANGED", `containers.${name}.${fact}`, difference)];
    });
  });
  const strangers = containers.filter(({ name }) => !Object.hasOwn(manifest.containers, name));
  const extra = strangers.flatMap((container) => {
    const reasons = reasonsAgainst(container, containers, (name) => Object.hasOwn(manifest.containers, name), place);
    const path = `containers.${container.name}`;
    return reasons.length === 0 ? [] : [startFinding("START_CONTAINER_EXTRA", path, reasons.join("; "))];
  });
  return [...own, ...extra];
}

/** Each configuration file that has other bytes than the manifest says. */
export function compareFiles(
  manifest: StartManifest,
  { layout }: Pick<StartPlace, "layout">,
  digestOf: (path: string) => string,
): readonly Finding[] {
  return Object.entries(manifest.files).flatMap(([path, expected]) => {
    const actual = digestOf(join(layout.dir, path));
    const message = `its SHA-256 is ${actual}, and the manifest says ${expected}`;
    return actual === expected ? [] : [startFinding("START_FILE_CHANGED", path, message)];
  });
}

/** What is too much and what is missing; where neither is, the order. */
function differenceOf(expected: readonly string[], actual: readonly string[]): string | undefined {
  if (expected.length === actual.length && expected.every((text, index) => text === actual[index])) return undefined;
  const only = (these: readonly string[], those: readonly string[]): string =>
    these
      .filter((text) => !those.includes(text))
      .map(shown)
      .join(", ") || "nothing more";
  const [more, less] = [only(actual, expected), only(expected, actual)];
  return more === less ? "it is in another order than the manifest says" : `has ${more}; the manifest says ${less}`;
}
