import { expect, it } from "vitest";
import { DEPLOYMENTS, deployedAs, renderedDeployment } from "../../../test/support/rendered.ts";
import { verifyRendered } from "./index.ts";

const { stack, subject } = renderedDeployment(DEPLOYMENTS["two-gateways"]);
const SECRET = "Zk81mQx0Pv7L";

// biome-ignore lint/suspicious/noExplicitAny: the changes reach into JSON as anybody with an editor could
type Loose = any;
const gateway = (changed: Loose): Loose => changed.resource.docker_container["gw-01"];

it.each<[string, (changed: Loose) => void]>([
  ["a command", (s) => (gateway(s).entrypoint = ["/bin/sh", "-c", `PGPASSWORD=${SECRET} psql`])],
  ["a health check", (s) => (gateway(s).healthcheck.test = ["CMD", "curl", "-u", `u:${SECRET}`])],
  ["options of the log", (s) => (gateway(s).log_opts = { "splunk-token": SECRET })],
  ["a variable", (s) => (gateway(s).env = [`X=${SECRET}`])],
  ["a label", (s) => gateway(s).labels.push({ label: "x", value: SECRET })],
  ["a user", (s) => (gateway(s).user = SECRET)],
  ["an image with credentials", (s) => (gateway(s).image = `u:${SECRET}@registry.example/x`)],
  ["options of security", (s) => (gateway(s).security_opts = [`label=${SECRET}`])],
  ["a folder's options", (s) => (gateway(s).tmpfs = { "/tmp": SECRET })],
  ["a port's member", (s) => (gateway(s).ports = [{ ip: "0.0.0.0", internal: 1, external: 1, password: SECRET }])],
  [
    "a network's options",
    (s) => ((Object.values(s.resource.docker_network)[0] as Loose).options = { "com.example": SECRET }),
  ],
  ["the provider", (s) => (s.provider.docker[0].registry_auth = [{ password: SECRET }])],
  ["the state's backend", (s) => (s.terraform.backend = { local: { path: SECRET } })],
  ["a resource that is a text", (s) => (s.resource.docker_container = SECRET)],
])("never tells what stands in %s", (_, change) => {
  const changed = structuredClone(stack) as Loose;
  change(changed);
  const results = verifyRendered(changed, { ...subject, deployed: deployedAs(changed, subject.model) });
  expect(results.some(({ outcome }) => outcome === "broken")).toBe(true);
  expect(JSON.stringify(results)).not.toContain(SECRET);
});

it("tells names, paths and addresses, but for one that looks like a secret", () => {
  const changed = structuredClone(stack) as Loose;
  gateway(changed).network_mode = "host";
  gateway(changed).mounts[0].source = "/etc/shadow";
  gateway(changed).hostname = `AKIA${"A1".repeat(8)}`;
  const told = JSON.stringify(
    verifyRendered(changed, { ...subject, deployed: deployedAs(changed, subject.model) }).flatMap((each) =>
      each.findings.map(({ message }) => message),
    ),
  );
  expect(told).toContain('is \\"host\\"; accepted: \\"bridge\\"');
  expect(told).toContain("/etc/shadow");
  expect(told).not.toContain("AKIA");
});
