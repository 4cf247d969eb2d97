import { createHash } from "node:crypto";
import { Factories } from "@cyclonedx/cyclonedx-library/Contrib/License";
import { ComponentType, HashAlgorithm } from "@cyclonedx/cyclonedx-library/Enums";
import { Bom, Component, HashDictionary, Metadata } from "@cyclonedx/cyclonedx-library/Models";
import { JSON as Json, JsonSerializer } from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6 } from "@cyclonedx/cyclonedx-library/Spec";
import type { Part } from "./part.ts";

/** What a list of parts is of. */
export interface SbomSubject {
  readonly type: "container" | "application";
  readonly name: string;
  readonly version: string;
}

const TYPES = {
  container: ComponentType.Container,
  application: ComponentType.Application,
  library: ComponentType.Library,
} as const;
const ALGORITHMS = { "SHA-256": HashAlgorithm["SHA-256"], "SHA-512": HashAlgorithm["SHA-512"] } as const;

// Words that are no identifier of SPDX are kept as they are; expressions are taken from packages that npm has checked.
const licences = new Factories.LicenseFactory((text: string) => {
  if (!/^\(?[A-Za-z0-9.+-]+\)?(?: (?:AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)+$/.test(text))
    throw new Error("no expression");
});

/**
 * A list of parts, CycloneDX 1.6 as JSON. It follows from its arguments alone: no time is in it, and its serial number is a hash
 * of the rest (RFC 9562, version 8). A part that is named twice stands once.
 */
export function sbomOf(subject: SbomSubject, parts: readonly Part[]): Uint8Array {
  const once = [...new Map(parts.map((part) => [part.purl, part])).values()];
  const sorted = once.sort((a, b) => (a.purl < b.purl ? -1 : 1));
  const without = render(subject, sorted, undefined);
  return Buffer.from(render(subject, sorted, serialNumberOf(without)));
}

function render(subject: SbomSubject, parts: readonly Part[], serialNumber: string | undefined): string {
  const bom = new Bom({ metadata: new Metadata({ component: componentOf({ ...subject, purl: undefined }) }) });
  if (serialNumber !== undefined) bom.serialNumber = serialNumber;
  for (const part of parts) bom.components.add(componentOf(part));
  const serializer = new JsonSerializer(new Json.Normalize.Factory(Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 1 })}\n`;
}

type Described = Omit<Part, "type" | "purl"> & { readonly type: keyof typeof TYPES; readonly purl: string | undefined };

function componentOf({ type, group, name, version, purl, licence, hash }: Described): Component {
  const component = new Component(TYPES[type], name, { version, bomRef: purl ?? `${name}@${version}` });
  if (group !== undefined) component.group = group;
  if (purl !== undefined) component.purl = purl;
  if (licence !== undefined) component.licenses.add(licences.makeFromString(licence));
  if (hash !== undefined) component.hashes = new HashDictionary([[ALGORITHMS[hash.algorithm], hash.hex]]);
  return component;
}

function serialNumberOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ];
  return `urn:uuid:${groups.join("-")}`;
}
