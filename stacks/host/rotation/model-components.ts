import { X509Certificate } from "node:crypto";
import type { Component } from "../../../model/component.ts";
import { pinOf } from "../pem.ts";

/** Components of the model fleet. */
export const MODEL_NAMES = ["broker", "backend", "collector", "gw-01"] as const;
const IDENTITY = {
  broker: "svc-broker",
  backend: "svc-backend",
  collector: "svc-collector",
  "gw-01": "gw-01",
} as const;
const signatures = new Map<string, boolean>();
const pinned = new Map<string, string>();

/** Whether a certificate is signed by the key of another one, both PEM. */
export function signedBy(pem: string, issuerPem: string): boolean {
  const key = pem + issuerPem;
  const known = signatures.get(key);
  if (known !== undefined) return known;
  const good = new X509Certificate(pem).verify(new X509Certificate(issuerPem).publicKey);
  signatures.set(key, good);
  return good;
}

/** The pin of a certificate's key. */
export function pinIn(pem: string): string {
  const pin = pinned.get(pem) ?? pinOf(new X509Certificate(pem).publicKey);
  pinned.set(pem, pin);
  return pin;
}

/** One of them, as the model of a deployment has it. */
export function componentOf(
  name: (typeof MODEL_NAMES)[number],
  secretFile: (component: string, secret: string) => string,
): Component {
  const client = name === "broker" ? ["crl.pem"] : ["broker.pins"];
  const secrets = ["ca.crt", "tls.crt", "tls.key", ...client].map((secret) => ({
    name: secret,
    file: secretFile(name, secret),
  }));
  return { name, identity: IDENTITY[name], secrets, renewal: "watch" } as unknown as Component;
}
