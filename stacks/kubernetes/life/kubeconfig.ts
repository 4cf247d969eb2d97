import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf } from "../../../shared/errors.ts";
import { kubernetesLifeErrors } from "./errors.ts";

/**
 * The kubeconfig that kubectl would take: of `KUBECONFIG`, or `~/.kube/config`. Nothing else is tried, neither the account of a
 * pod nor a server of this machine: a deployment goes to the cluster that somebody has named.
 * @param context name of the context. @default the one that the file says is current
 * @throws KUBECONFIG_INVALID
 */
export async function loadKubeconfig(env: NodeJS.ProcessEnv, context?: string): Promise<KubeConfig> {
  const files = (env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  const named = files.length > 0 ? files : [join(env.HOME ?? homedir(), ".kube", "config")];
  const [first = ""] = named;
  const there = named.filter((file) => existsSync(file));
  if (there.length === 0) throw invalid(first, `there is no kubeconfig "${named.join('" or "')}"`);
  // Loaded where a cluster is asked, and by no other command: it takes longer than all the rest.
  const { KubeConfig: Loader } = await import("@kubernetes/client-node");
  const config = new Loader();
  try {
    for (const [index, file] of there.entries()) {
      if (index === 0) config.loadFromFile(file);
      else {
        const more = new Loader();
        more.loadFromFile(file);
        config.mergeConfig(more);
      }
    }
    if (context !== undefined) config.setCurrentContext(context);
  } catch (cause) {
    throw invalid(first, `cannot read the kubeconfig "${there.join('", "')}": ${messageOf(cause)}`, cause);
  }
  const contexts = config.getContexts().map(({ name }) => name);
  const current = config.getCurrentContext();
  if (!contexts.includes(current)) {
    const said = current === "" ? "no context is current" : `there is no context "${current}"`;
    throw invalid(first, `${said} in "${there.join('", "')}"; accepted: ${contexts.join(", ") || "none is there"}`);
  }
  const server = config.getCurrentCluster()?.server ?? "";
  if (!URL.canParse(server) || new URL(server).protocol !== "https:") {
    throw invalid(first, `the cluster of context "${current}" has the server "${server}"; accepted: an https URL`);
  }
  if (config.getCurrentCluster()?.skipTLSVerify === true) {
    const fix = "put certificate-authority-data in the place of insecure-skip-tls-verify";
    throw invalid(
      first,
      `context "${current}" does not verify its API server, to which Secrets would go`,
      undefined,
      fix,
    );
  }
  return config;
}

function invalid(path: string, message: string, cause?: unknown, fix?: string) {
  return kubernetesLifeErrors.error("KUBECONFIG_INVALID", message, { path, cause, fix });
}
