import type { Model } from "../../../model/boundary.ts";
import type { Component } from "../../../model/component.ts";
import type { Finding } from "../../../shared/finding.ts";
import { looksLikeSecret } from "../../../shared/secret-text.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import type { NetworkSpec } from "../networks.ts";
import type { DockerTarget } from "../plan.ts";
import { renderedErrors } from "./errors.ts";

/** Codes of this check's findings. */
export type RenderedCode = keyof typeof renderedErrors.entries;

/** What a rendered stack is held against. */
export interface CheckContext extends DockerTarget {
  readonly model: Model;
}

/** A rendered container, and the component that it should be. */
export interface Subject extends CheckContext {
  readonly component: Component;
  /** Path of the container in the stack. */
  readonly path: string;
  /** The networks that the model's flows and published ports need. */
  readonly networks: readonly NetworkSpec[];
  /** Every attribute as it is rendered. */
  readonly attributes: Attributes;
}

/** Attributes of a resource, by name. */
export type Attributes = Readonly<Record<string, unknown>>;

/** What is wrong with one attribute; its path is relative to the container. */
export type Rule = (value: unknown, subject: Subject) => readonly Finding[];

/** One finding of the check. */
export function finding(code: RenderedCode, path: string, message: string): Finding {
  return { code, path, message, fix: renderedErrors.entries[code].fix };
}

/**
 * An attribute that has one accepted value; undefined for one that must not be there.
 * @param show {@link named} where the attribute is a name. @default shown
 */
export function only(
  code: RenderedCode,
  attribute: string,
  accepted: (subject: Subject) => unknown,
  show: (value: unknown) => string = shown,
): Rule {
  return (value, subject) => {
    const expected = accepted(subject);
    if (stableJson(value) === stableJson(expected)) return [];
    return [finding(code, `${subject.path}.${attribute}`, `is ${show(value)}; accepted: ${named(expected)}`)];
  };
}

/**
 * What stands in a place that could hold anything, for a message: a number, a truth value or that it is missing as it is; of a text, a
 * list or an object how long it is, and nothing of what is in it. Messages go into terminals, logs and signed evidence.
 */
export function shown(value: unknown): string {
  if (typeof value === "string") return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isAttributes(value)) return `an object with ${Object.keys(value).length} members`;
  return value === undefined ? "missing" : stableJson(value);
}

/**
 * A value of a place that has no secret, for a message: a name, a path, an address, a port, and what is accepted, which the model
 * says. Cut after 80 characters; of one that looks like a secret all the same as {@link shown}.
 */
export function named(value: unknown): string {
  if (value === undefined) return "missing";
  const text = stableJson(value);
  if (looksLikeSecret(text)) return shown(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** The objects of a block, which Terraform takes as one object or as a list of them. */
export function blocks(value: unknown): readonly Attributes[] | undefined {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.every(isAttributes) ? list : undefined;
}

/** Whether a value is an object with members. */
export function isAttributes(value: unknown): value is Attributes {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Members that a block does not have in any stack of ours. */
export function strangers(block: Attributes, known: readonly string[], path: string): readonly Finding[] {
  return Object.keys(block)
    .filter((member) => !known.includes(member))
    .map((member) => finding("RENDERED_ATTRIBUTE", `${path}.${member}`, `unknown; accepted: ${known.join(", ")}`));
}

/** What is there twice, and what is missing, of things that are to be there once each. The keys go into the findings. */
export function onceEach(
  code: RenderedCode,
  path: string,
  given: readonly string[],
  accepted: readonly string[],
): readonly Finding[] {
  const twice = new Set(given.filter((key, index) => given.indexOf(key) < index));
  return [
    ...[...twice].map((key) => finding(code, path, `${named(key)} is there more than once`)),
    ...accepted.filter((key) => !given.includes(key)).map((key) => finding(code, path, `${named(key)} is missing`)),
  ];
}

/** The finding for what is not the object, list or text that it should be. */
export function misshapen(path: string, accepted: string, value: unknown): readonly Finding[] {
  return [finding("RENDERED_SHAPE", path, `is ${shown(value)}; accepted: ${accepted}`)];
}
