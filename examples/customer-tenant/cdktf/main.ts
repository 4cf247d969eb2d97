import { join } from "node:path";
import { App } from "cdktf";
import { TrustKernStack } from "trustkern/cdktf";

const app = new App();

new TrustKernStack(app, "customer-tenant", {
  file: join(import.meta.dirname, "..", "trustkern.yaml"),
  // Whose cluster it is: without it, KUBE_CONFIG_PATH says where.
  provider: { configPath: "~/.kube/config", configContext: "plant" },
});

app.synth();
