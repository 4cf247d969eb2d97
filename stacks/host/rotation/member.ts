import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Component } from "../../../model/component.ts";
import { SERVICES_ONLY } from "../../../modules/common.ts";
import { STEP_CA_SECRETS } from "../../../modules/step-ca/component.ts";
import { certificatesIn, fingerprintOf, fingerprintsOf } from "../pem.ts";
import type { Member } from "./fleet.ts";

/** What a component of ours says of its TLS at `GET /status`. */
export interface TlsStatus {
  /** SHA-256 of the leaf, lower-case hex. */
  readonly certificate: string;
  /** Its serial number, lower-case hex. */
  readonly serial: string;
  /** RFC 3339. */
  readonly notAfter: string;
  readonly anchors: readonly string[];
  /** Pins of the broker that it accepts, where it is a client of it. */
  readonly pins?: readonly string[] | undefined;
}

/** What is known of one component. */
export interface Observation {
  readonly component: Component;
  /** Files of its leaves, its own first. */
  readonly leafFiles: readonly string[];
  readonly secretFile: (component: string, secret: string) => string;
  /** Its own word; undefined where it gives none. */
  readonly tls: TlsStatus | undefined;
  /** SHA-256 of the authority above the leaf that an online authority shows; undefined where none was seen. */
  readonly authority: string | undefined;
  /** When it last read its files for certain, such as at its start; undefined while it does not run. */
  readonly readAt: Date | undefined;
  readonly now: Date;
}

/** Seconds after which whoever watches a file has read it. */
const WATCHED_SECONDS = 15;

/** What a component has in force: by its own word, or because it has read the files that are there now. */
export function memberOf(seen: Observation): Member {
  const { component, leafFiles, secretFile, tls } = seen;
  const { name } = component;
  const has = (secret: string): boolean => component.secrets.some((one) => one.name === secret);
  const file = (secret: string): string => secretFile(name, secret);
  return {
    name,
    anchors: has("ca.crt") ? (tls?.anchors ?? fromFile(seen, file("ca.crt"), (text) => fingerprintsOf(text))) : "none",
    clientAuthorities: has(SERVICES_ONLY) ? fromFile(seen, file(SERVICES_ONLY), fingerprintsOf) : "none",
    certificates: leafFiles.length === 0 ? "none" : presented(seen),
    authority: has(STEP_CA_SECRETS.cert) ? issuing(seen) : "none",
    pins: has("broker.pins")
      ? (tls?.pins ?? fromFile(seen, file("broker.pins"), (text) => text.split("\n").filter((line) => line !== "")))
      : "none",
  };
}

function issuing({ authority }: Observation): readonly string[] | undefined {
  return authority === undefined ? undefined : [authority];
}

function presented(seen: Observation): readonly string[] | undefined {
  const { leafFiles, tls } = seen;
  const [own, ...others] = leafFiles.map((file, index) =>
    index === 0 && tls !== undefined ? [tls.certificate, ...newerThan(file, tls)] : fromFile(seen, file, leafIn),
  );
  return own === undefined || others.some((each) => each === undefined)
    ? undefined
    : [...own, ...others.flatMap((each) => each ?? [])];
}

/** A gateway renews its leaf by itself: one that ends later was issued later than the one in its file, and stands for it. */
function newerThan(file: string, tls: TlsStatus): readonly string[] {
  const [pem] = certificatesIn(readFileSync(file, "utf8"));
  if (pem === undefined) return [];
  return Date.parse(tls.notAfter) > new X509Certificate(pem).validToDate.getTime() ? [fingerprintOf(pem)] : [];
}

function leafIn(text: string): readonly string[] {
  return fingerprintsOf(text).slice(0, 1);
}

function fromFile(
  { component, readAt, now }: Observation,
  file: string,
  parse: (text: string) => readonly string[],
): readonly string[] | undefined {
  if (readAt === undefined) return undefined;
  const { mtimeMs } = statSync(file);
  const watched = component.renewal === "watch" && now.getTime() - mtimeMs > WATCHED_SECONDS * 1000;
  return watched || readAt.getTime() > mtimeMs ? parse(readFileSync(file, "utf8")) : undefined;
}
