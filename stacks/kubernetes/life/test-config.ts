import { KubeConfig } from "@kubernetes/client-node";

/** For tests: a kubeconfig that leads to a server which nobody asks. */
export function testConfig(server = "https://plant.test:6443", context = "plant"): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: context, server, skipTLSVerify: false }],
    users: [{ name: "anna" }],
    contexts: [{ name: context, cluster: context, user: "anna" }],
    currentContext: context,
  });
  return config;
}
