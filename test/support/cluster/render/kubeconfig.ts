import { stableJson } from "../../../../shared/stable-json.ts";
import type { Pair } from "./pki.ts";

/** Whom a kubeconfig leads to, and as whom. `pair` has a secret, and so has the result. */
export interface Access {
  /** `https://ADDRESS:PORT` */
  readonly server: string;
  readonly authority: string;
  readonly pair: Pair;
}

/** A kubeconfig (kubernetes.io, "Organizing Cluster Access") with everything in it, so that it may be copied. JSON is YAML. */
export function renderKubeconfig({ server, authority, pair }: Access): string {
  const cluster = { server, "certificate-authority-data": base64(authority) };
  const user = { "client-certificate-data": base64(pair.certPem), "client-key-data": base64(pair.keyPem) };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster }],
    users: [{ name: "user", user }],
    contexts: [{ name: "cluster", context: { cluster: "cluster", user: "user" } }],
    "current-context": "cluster",
  };
  return `${stableJson(config)}\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
