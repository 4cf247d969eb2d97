import type { Model } from "../../../model/boundary.ts";

/** A model without what runs elsewhere, and without the flows that have one of their ends there. */
export function ownModel(model: Model): Model {
  const components = model.components.filter(({ external }) => external === undefined);
  const isOwn = (name: string): boolean => components.some((component) => component.name === name);
  return { ...model, components, flows: model.flows.filter(({ from, to }) => isOwn(from) && isOwn(to)) };
}
