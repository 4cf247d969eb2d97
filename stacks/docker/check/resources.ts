import type { Finding } from "../../../shared/finding.ts";
import { planNetworks } from "../networks.ts";
import { lockedReference } from "./access-rules.ts";
import { checkContainer } from "./container-rules.ts";
import { sharedPlaces } from "./host-places.ts";
import { checkNetworks } from "./network-rules.ts";
import {
  type Attributes,
  type CheckContext,
  finding,
  isAttributes,
  misshapen,
  onceEach,
  shown,
  strangers,
} from "./subject.ts";
import { checkTexts } from "./text-rules.ts";

const KINDS = ["docker_container", "docker_image", "docker_network"] as const;

/**
 * Names everything in the resources of a stack, by kind and name, that grants more than the model. What the check does not know it
 * refuses, so that a new attribute of the provider is looked at before it is used.
 */
export function checkResources(resource: unknown, context: CheckContext): readonly Finding[] {
  const resources = isAttributes(resource) ? resource : {};
  const unknown = Object.keys(resources)
    .filter((kind) => !KINDS.some((known) => known === kind))
    .map((kind) => finding("RENDERED_ELEMENT", `resource.${kind}`, `accepted: ${KINDS.join(", ")}`));
  const all = KINDS.flatMap((kind) => Object.entries(isAttributes(resources[kind]) ? resources[kind] : {}));
  const ofKinds = KINDS.filter((kind) => Object.hasOwn(resources, kind)).map((kind) => resources[kind]);
  const shapes = [resource, ...ofKinds, ...all.map(([, body]) => body)];
  const misshaped = shapes
    .filter((value) => !isAttributes(value))
    .flatMap((value) => misshapen("resource", "an object", value));
  // What is not in the form of a stack is not looked into: the rules read objects by name.
  if (misshaped.length > 0) return [...unknown, ...misshaped];
  return [
    ...unknown,
    ...checkTexts(resources, "resource"),
    ...checkNetworks((resources.docker_network ?? {}) as Attributes, context),
    ...checkImages((resources.docker_image ?? {}) as Readonly<Record<string, Attributes>>, context),
    ...checkContainers((resources.docker_container ?? {}) as Readonly<Record<string, Attributes>>, context),
  ];
}

function checkContainers(containers: Readonly<Record<string, Attributes>>, context: CheckContext): readonly Finding[] {
  const { components } = context.model;
  const networks = planNetworks(context.model, context.deployment);
  const missing = components.filter(({ name }) => !Object.hasOwn(containers, name));
  return [
    ...sharedPlaces(containers, context.model, context.layout),
    ...missing.map(({ name }) => finding("RENDERED_CONTAINER", `resource.docker_container.${name}`, "is missing")),
    ...Object.entries(containers).flatMap(([name, attributes]) => {
      const path = `resource.docker_container.${name}`;
      const component = components.find((candidate) => candidate.name === name);
      if (component === undefined) return [finding("RENDERED_CONTAINER", path, "is no component of the model")];
      return checkContainer({ ...context, networks, component, path, attributes });
    }),
  ];
}

function checkImages(images: Readonly<Record<string, Attributes>>, context: CheckContext): readonly Finding[] {
  const pulled = context.model.components.flatMap(({ image = "" }) =>
    lockedReference(image, context) === undefined ? [] : [image],
  );
  const wrong = Object.entries(images).flatMap(([name, image]) => {
    const path = `resource.docker_image.${name}`;
    const locked = pulled.includes(name) ? lockedReference(name, context) : undefined;
    return [
      ...strangers(image, ["//", "name", "keep_locally"], path),
      ...(locked !== undefined && image.name === locked
        ? []
        : [
            finding(
              "RENDERED_IMAGE",
              `${path}.name`,
              `is ${shown(image.name)}; accepted: ${locked ?? "no such image"}`,
            ),
          ]),
      ...(image.keep_locally === true ? [] : [finding("RENDERED_IMAGE", path, "would be deleted with the stack")]),
    ];
  });
  const once = [...new Set(pulled)];
  return [...wrong, ...onceEach("RENDERED_IMAGE", "resource.docker_image", Object.keys(images), once)];
}
