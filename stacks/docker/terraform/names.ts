/** What a resource is called in the words of the model. */
export interface ResourceName {
  /** Such as `component`, `flow`, `image`. */
  readonly kind: string;
  /** Such as `collector`, or `collector → broker (mqtts)`. */
  readonly name: string;
}

/** Terraform address, such as `docker_container.collector`, to the words of the model. */
export type ResourceNames = Readonly<Record<string, ResourceName>>;

/**
 * The words for an address. What is no longer in the stack has them in its address, as the stack once gave it: networks are
 * named `from_to_port`, and `component_publish`.
 */
export function nameOf(names: ResourceNames, address: string): ResourceName {
  if (Object.hasOwn(names, address) && names[address]) return names[address];
  const [type, name = "", ...rest] = address.split(".");
  if (rest.length > 0 || name === "") return { kind: "resource", name: address };
  if (type === "docker_container") return { kind: "component", name };
  if (type === "docker_image") return { kind: "image", name };
  const [from, to, port] = name.split("_");
  if (type === "docker_network" && port !== undefined) return { kind: "flow", name: `${from} -> ${to}.${port}` };
  if (type === "docker_network" && to === "publish") return { kind: "network", name: `published ports of ${from}` };
  return { kind: "resource", name: address };
}

/** The same as one phrase: `component collector`. */
export function wordsOf(names: ResourceNames, address: string): string {
  const { kind, name } = nameOf(names, address);
  return `${kind} ${name}`;
}
