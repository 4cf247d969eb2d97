import { dirname } from "node:path";
import type { Finding } from "../shared/finding.ts";
import { overlaps } from "../shared/paths.ts";
import type { Component } from "./component.ts";
import { modelErrors } from "./errors.ts";

/** What a component sees of the host by its exceptions: of a socket its folder, of a device itself. */
function hostPlaces({ exceptions }: Pick<Component, "exceptions">): readonly string[] {
  return exceptions
    .flatMap(({ grants = [] }) => grants)
    .flatMap((grant) => {
      if (grant.startsWith("host-socket:")) return [dirname(grant.slice("host-socket:".length))];
      return grant.startsWith("device:") ? [grant.slice("device:".length)] : [];
    });
}

/**
 * A place of the host that components of two zones are given. It is a way between them that no flow names: what custody reaches its
 * keys by is nobody's outside of the boundary.
 */
export function checkHostPlaces(components: readonly Component[]): Finding[] {
  const places = components.flatMap((component) => hostPlaces(component).map((place) => ({ component, place })));
  return places.flatMap(({ component, place }, index) =>
    places
      .slice(index + 1)
      .filter((other) => other.component.zone !== component.zone && overlaps(other.place, place))
      .map((other) => {
        const named = ({ component: { name, zone }, place: at }: typeof other) => `"${name}" in zone ${zone} "${at}"`;
        const message = `${named({ component, place })} and ${named(other)} are given one place of the host`;
        const { fix } = modelErrors.entries.BOUNDARY_HOST_PLACE;
        return { code: "BOUNDARY_HOST_PLACE", path: `components.${other.component.name}.exceptions`, message, fix };
      }),
  );
}
