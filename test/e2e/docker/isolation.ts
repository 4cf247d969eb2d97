import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildModel } from "../../../modules/index.ts";
import { parseDeploymentYaml } from "../../../profiles/parse.ts";
import { needsNetwork } from "../../../stacks/docker/networks.ts";
import { dockerPlacement } from "../../../stacks/docker/placement.ts";
import { dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { PROJECT } from "../../support/deployment.ts";
import { docker, type Example, runInside, tlsFiles } from "../../support/docker.ts";

/** A CoAP ping (RFC 7252, section 4.3): an empty confirmable message, which every endpoint answers with a reset. */
const COAP_PING = "40000001";

interface Reached {
  readonly component: string;
  readonly portName: string;
  readonly host: string;
  readonly answer: string;
}

/** Holds that containers of a deployment that runs reach each other along the model's flows, and nothing else. */
export function holdIsolation(example: Example): void {
  const deployment = parseDeploymentYaml(
    readFileSync(join(PROJECT, "examples", "single-host", "trustkern.yaml"), "utf8"),
    "trustkern.yaml",
  );
  const placement = dockerPlacement(deployment);
  const { components, flows } = buildModel(deployment, placement);
  const running = components.filter(({ health }) => health.kind !== "exit");
  const listeners = running.filter(({ ports }) => ports.length > 0);

  /** What a container says of all ports of all other containers, at every address that they have. */
  async function reachOf(from: string): Promise<readonly Reached[]> {
    const targets = [];
    for (const { name, ports } of listeners.filter((other) => other.name !== from)) {
      const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
      const addresses = (await dockerOutput(docker, ["inspect", "-f", format, name])).trim().split(/\s+/);
      for (const host of addresses) {
        for (const { name: portName, port, protocol } of ports)
          targets.push({ component: name, portName, port, host, protocol, payload: COAP_PING });
      }
    }
    return runInside(from, "reach.mjs", targets);
  }

  /** One TLS connection to a port, from inside its own container, with Prometheus' certificate. */
  const handshake = (name: string, portName: string, port: number, offer: object): Promise<string> => {
    const [host] = placement.listenAddresses(name, portName);
    const asked = { ...tlsFiles(example, name, "prometheus"), host, port, minVersion: "TLSv1.2", ...offer };
    return runInside(name, "tls-inside.mjs", asked);
  };

  describe("a container connects to what the model's flows say, and to no other port of any container", () => {
    it.each(running.map(({ name }) => name))("from inside %s", async (from) => {
      const reached = await reachOf(from);
      const connected = reached.filter(({ answer }) => answer === "connected");
      const wanted = flows.filter((flow) => flow.from === from && needsNetwork(flow));
      const named = connected.map(({ component, portName }) => `${component}.${portName}`);
      expect([...new Set(named)].sort()).toEqual(wanted.map(({ to, port }) => `${to}.${port}`).sort());
      const joined = new Set(
        flows.filter(needsNetwork).flatMap(({ from: a, to }) => (a === from ? to : to === from ? a : [])),
      );
      const strangers = reached.filter(
        ({ component, answer }) => !joined.has(component) && !answer.startsWith("not reached"),
      );
      expect(strangers).toEqual([]);
    });

    it.each(running.map(({ name }) => name))("and %s reaches nothing outside of the deployment", async (from) => {
      const outside = [
        { host: "192.0.2.1", port: 443, protocol: "tcp" },
        { host: "198.51.100.1", port: 53, protocol: "udp", payload: "00" },
      ];
      const answers = (await runInside<readonly Reached[]>(from, "reach.mjs", outside)).map(({ answer }) => answer);
      expect(answers).toEqual([expect.stringMatching(/^not reached/), expect.stringMatching(/^not reached/)]);
    });
  });

  describe("every TCP port", () => {
    const ports = listeners.flatMap(({ name, ports }) =>
      ports
        .filter(({ protocol, name: port }) => protocol === "tcp" && port !== "postgres")
        .map(({ name: portName, port }) => [name, portName, port] as const),
    );

    it.each(ports)("of %s %s speaks TLS 1.3, and nothing older", async (name, portName, port) => {
      expect(await handshake(name, portName, port, {})).toBe("TLSv1.3");
      expect(await handshake(name, portName, port, { maxVersion: "TLSv1.2" })).toMatch(/^refused/);
    });

    // step-ca hands its certificates to whoever has a token, and has no clients with certificates.
    it.each(ports.filter(([name]) => !name.endsWith("-ca")))(
      "of %s %s asks for a certificate",
      async (name, portName, port) => {
        expect(await handshake(name, portName, port, { cert: undefined, key: undefined })).toMatch(/^refused/);
      },
    );
  });

  describe("a published port", () => {
    it("is on the address that the deployment names, and there are no others", async () => {
      const shown = await dockerOutput(docker, [
        "ps",
        "--filter",
        "label=trustkern.deployment=single-host",
        "--format",
        "{{.Names}} {{.Ports}}",
      ]);
      const published = [...shown.matchAll(/(\S+):(\d+)->/g)].map(([, address]) => address);
      expect(new Set(published)).toEqual(new Set(["127.0.0.1"]));
      const declared = components.flatMap(({ ports }) => ports.filter(({ publish }) => publish === true));
      expect(published).toHaveLength(declared.length);
    });
  });
}
