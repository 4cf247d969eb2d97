import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf } from "../../../shared/errors.ts";
import { kubernetesLifeErrors } from "./errors.ts";
import { verifyingConfig } from "./verifying-config.ts";

/**
 * The kubeconfig that kubectl would take: of `KUBECONFIG`, or `~/.kube/config`; of several files the first one that says something.
 * Nothing else is tried, neither the account of a pod nor a server of this machine: a deployment goes to the cluster that somebody
 * has named.
 * @throws KUBECONFIG_INVALID
 */
export async function loadKubeconfig(env: NodeJS.ProcessEnv): Promise<KubeConfig> {
  const files = (env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  const named = files.length > 0 ? files : [join(env.HOME ?? homedir(), ".kube", "config")];
  const [first = ""] = named;
  const there = named.filter((file) => existsSync(file));
  if (there.length === 0) throw invalid(first, `there is no kubeconfig "${named.join('" or "')}"`);
  const config = await verifyingConfig(there[0] ?? first);
  for (const file of there) {
    const more = await verifyingConfig(file);
    try {
      more.loadFromFile(file);
    } catch (thrown) {
      // Not its cause: what reads YAML shows the lines around a mistake, and tokens are in such lines.
      throw invalid(file, `cannot read the kubeconfig "${file}": ${whyUnread(thrown)}`);
    }
    config.clusters = firstOf(config.clusters, more.clusters);
    config.users = firstOf(config.users, more.users);
    config.contexts = firstOf(config.contexts, more.contexts);
    config.currentContext ||= more.currentContext ?? "";
  }
  assertUsable(config, there);
  return config;
}

function assertUsable(config: KubeConfig, files: readonly string[]): void {
  const [path = ""] = files;
  const place = `"${files.join('", "')}"`;
  const current = config.getCurrentContext();
  const context = config.getContextObject(current);
  if (context === null) {
    const said = current === "" ? "no context is current" : `there is no context "${current}"`;
    throw invalid(path, `${said} in ${place}; accepted: ${namesOf(config.contexts)}`);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const message = `context "${current}" names the cluster "${context.cluster}", which is not in ${place}`;
    throw invalid(path, `${message}; accepted: ${namesOf(config.clusters)}`);
  }
  if (config.getCurrentUser() === null) {
    const message = `context "${current}" names the user "${context.user ?? ""}", who is not in ${place}`;
    throw invalid(path, `${message}; accepted: ${namesOf(config.users)}`);
  }
  const { server } = cluster;
  if (!URL.canParse(server) || new URL(server).protocol !== "https:") {
    throw invalid(path, `the cluster of context "${current}" has the server "${server}"; accepted: an https URL`);
  }
  if (cluster.skipTLSVerify) {
    const fix = "put certificate-authority-data in the place of insecure-skip-tls-verify";
    throw invalid(path, `context "${current}" does not verify its API server, to which Secrets would go`, fix);
  }
}

interface Named {
  readonly name: string;
}

/** As kubectl merges: what an earlier file has said stays. */
function firstOf<T extends Named>(known: readonly T[], more: readonly T[]): T[] {
  return [...known, ...more.filter(({ name }) => known.every((each) => each.name !== name))];
}

function namesOf(named: readonly Named[]): string {
  return named.map(({ name }) => name).join(", ") || "none is there";
}

/** Why a file cannot be read, without a word of what is in it. */
function whyUnread(thrown: unknown): string {
  const { mark, code } = (thrown ?? {}) as { readonly mark?: { readonly line?: number }; readonly code?: unknown };
  if (mark !== undefined) return `line ${(mark.line ?? 0) + 1} is not YAML`;
  const message = messageOf(thrown);
  // Of the system, with the path; or of the library, with the member that is missing.
  if (typeof code === "string" || /^(?:clusters|users|contexts)\[\d+\][.a-z]* is missing$/.test(message))
    return message;
  return "it is no kubeconfig";
}

function invalid(path: string, message: string, fix?: string) {
  return kubernetesLifeErrors.error("KUBECONFIG_INVALID", message, { path, fix });
}
