import type { KubeConfig } from "@kubernetes/client-node";
import { kubernetesLifeErrors } from "./errors.ts";

/**
 * An empty kubeconfig, with which every server is verified whatever the environment says, and a user without a credential is told
 * by name.
 * @param file where it is from, for errors
 */
export async function verifyingConfig(file: string): Promise<KubeConfig> {
  // Loaded where a cluster is asked, and by no other command: it takes longer than all the rest.
  const { KubeConfig: Loader } = await import("@kubernetes/client-node");
  return new (class extends Loader {
    /** @throws CLUSTER_CREDENTIAL */
    override async applyToHTTPSOptions(options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0]): Promise<void> {
      // Unsaid, NODE_TLS_REJECT_UNAUTHORIZED would decide.
      options.rejectUnauthorized = true;
      try {
        await super.applyToHTTPSOptions(options);
      } catch (thrown) {
        const { name = "", exec } = this.getCurrentUser() ?? {};
        const why = whyNone(thrown, (exec as { readonly command?: string } | undefined)?.command);
        // Not its cause: what a program prints instead of a credential may have one in it.
        throw kubernetesLifeErrors.error("CLUSTER_CREDENTIAL", `the user "${name}" has no credential: ${why}`, {
          path: file,
        });
      }
    }
  })();
}

function whyNone(thrown: unknown, program?: string): string {
  const { code, syscall = "", path } = (thrown ?? {}) as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined && !syscall.startsWith("spawn"))
    return `"${path}" cannot be read (${code})`;
  if (program === undefined) return "it cannot be had in the way that the kubeconfig says";
  if (syscall.startsWith("spawn")) return `its program "${program}" cannot be started (${code})`;
  const isForm = thrown instanceof SyntaxError || thrown instanceof TypeError;
  return isForm ? `what its program "${program}" prints is no ExecCredential` : `its program "${program}" has failed`;
}
