/** What a resource is called in the words of the model. */
export interface ResourceName {
  /** Such as `component`, `flow`, `image`. */
  readonly kind: string;
  /** Such as `collector`, or `collector → broker (mqtts)`. */
  readonly name: string;
}

/** Terraform address, such as `docker_container.collector`, to the words of the model. */
export type ResourceNames = Readonly<Record<string, ResourceName>>;

/** The words for an address; one that the stack did not name keeps its address. */
export function nameOf(names: ResourceNames, address: string): ResourceName {
  return Object.hasOwn(names, address) && names[address] ? names[address] : { kind: "resource", name: address };
}

/** The same as one phrase: `component collector`. */
export function wordsOf(names: ResourceNames, address: string): string {
  const { kind, name } = nameOf(names, address);
  return `${kind} ${name}`;
}
