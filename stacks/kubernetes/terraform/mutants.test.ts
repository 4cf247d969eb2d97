import { expect, it } from "vitest";
import { type Loose, TESTS, unequal } from "./test-equality.ts";

const pod = (o: Loose): Loose => o.kubernetes_stateful_set_v1.collector.spec.template.spec;
const box = (o: Loose): Loose => pod(o).container[0];
const grafana = (o: Loose): Loose =>
  Object.entries<Loose>(o.kubernetes_config_map_v1).find(([name]) => name.startsWith("grafana"))?.[1];

/** What a rendering with a mistake in it would give. */
const MUTANTS: readonly (readonly [string, (o: Loose) => unknown])[] = [
  ["the mode of a file in ten digits", (o) => (pod(o).volume[0].config_map.default_mode = "288")],
  ["the mode of a file as a number", (o) => (pod(o).volume[0].config_map.default_mode = 288)],
  ["only the first container", (o) => o.kubernetes_stateful_set_v1.custody.spec.template.spec.container.pop()],
  ["a mount that may be written", (o) => delete box(o).volume_mount[0].read_only],
  ["a whole folder in place of a file", (o) => delete box(o).volume_mount[0].sub_path],
  ["no seccomp profile", (o) => delete pod(o).security_context.seccomp_profile],
  ["the pod's rights in place of the container's", (o) => (box(o).security_context = pod(o).security_context)],
  ["a token, by the provider's default", (o) => delete pod(o).automount_service_account_token],
  ["service links, by the provider's default", (o) => delete pod(o).enable_service_links],
  ["a policy without its type", (o) => o.kubernetes_network_policy_v1["default-deny"].spec.policy_types.pop()],
  [
    "a policy that lets everybody in",
    (o) => {
      const [name = ""] = Object.keys(o.kubernetes_network_policy_v1).filter((each) => each.endsWith("_ingress"));
      delete o.kubernetes_network_policy_v1[name].spec.ingress[0].from;
    },
  ],
  ["a policy that is missing", (o) => delete o.kubernetes_network_policy_v1["default-deny"]],
  [
    "a policy that is there twice",
    (o) => (o.kubernetes_network_policy_v1.again = o.kubernetes_network_policy_v1["default-deny"]),
  ],
  ["a text that Terraform works out", (o) => (box(o).command[0] = ["$", "{path.cwd}"].join(""))],
  [
    "a dashboard whose signs are not doubled",
    (o) => {
      const { data } = grafana(o);
      for (const [name, text] of Object.entries<string>(data)) data[name] = text.replaceAll(/\$\$\{/g, () => "${");
    },
  ],
  [
    "a dashboard whose signs are doubled twice",
    (o) => {
      const { data } = grafana(o);
      for (const [name, text] of Object.entries<string>(data)) data[name] = text.replaceAll(/\$\$\{/g, () => "$$$${");
    },
  ],
  ["a fixed number of collectors", (o) => (o.kubernetes_stateful_set_v1.collector.spec.replicas = "2")],
  ["a service with an address", (o) => delete o.kubernetes_service_v1.collector.spec.cluster_ip],
  ["labels in the API's place for names", (o) => (o.kubernetes_service_v1.broker.metadata.generate_name = "broker")],
  ["a member in the API's own words", (o) => (pod(o).serviceAccountName = "custody")],
  [
    "claims of a smaller size",
    (o) =>
      (o.kubernetes_stateful_set_v1.database.spec.volume_claim_template[0].spec.resources.requests.storage = "1Gi"),
  ],
  [
    "volumes that go with their StatefulSet",
    (o) => delete o.kubernetes_stateful_set_v1.database.spec.persistent_volume_claim_retention_policy,
  ],
  ["an apply that waits for a sealed custody", (o) => delete o.kubernetes_stateful_set_v1.custody.wait_for_rollout],
  ["a namespace that goes with its volumes", (o) => delete o.kubernetes_namespace_v1["tk-demo"].lifecycle],
  ["a Secret", (o) => (o.kubernetes_secret_v1 = { custody: { metadata: { name: "custody" }, data: {} } })],
];

it.each(MUTANTS)("finds %s", (_, mutate) => {
  const { objects, resources } = structuredClone({ ...TESTS["eu-hosted"] });
  mutate(resources);
  expect(unequal(resources, objects)).not.toEqual([]);
});
