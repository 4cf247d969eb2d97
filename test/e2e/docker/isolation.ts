import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { buildModel } from "../../../modules/index.ts";
import { parseDeploymentYaml } from "../../../profiles/parse.ts";
import { needsNetwork } from "../../../stacks/docker/networks.ts";
import { dockerPlacement } from "../../../stacks/docker/placement.ts";
import { dockerOutput } from "../../../stacks/host/docker-cli.ts";
import { PROJECT } from "../../support/deployment.ts";
import { addressOf, docker, type Example, pidOf } from "../../support/docker.ts";
import { runProgram } from "../../support/run.ts";

/** A CoAP ping (RFC 7252, section 4.3): an empty confirmable message, which every endpoint answers with a reset. */
const COAP_PING = "40000001";

interface Reached {
  readonly component: string;
  readonly port: string;
  readonly answer: string;
}

/** The TLS version of a connection that stays open, or `refused (why)`. */
async function handshake(example: Example, name: string, port: number, offer: ConnectionOptions): Promise<string> {
  const host = await addressOf(name);
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({
    host,
    port,
    servername: `${name}.${example.tenant}.trustkern.internal`,
    ca: example.secret("collector", "ca.crt"),
    cert: example.secret("prometheus", "tls.crt"),
    key: example.secret("prometheus", "tls.key"),
    minVersion: "TLSv1.2",
    ...offer,
  });
  // With TLS 1.3 a server refuses a client's certificate after the client has finished.
  socket.once("secureConnect", () => setTimeout(() => resolve(socket.getProtocol() ?? "no TLS"), 500));
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(`refused (${error.code})`));
  socket.once("end", () => resolve("refused (closed)"));
  socket.resume();
  return promise.finally(() => socket.destroy());
}

/** Holds that containers of a deployment that runs reach each other along the model's flows, and nothing else. */
export function holdIsolation(example: Example): void {
  const deployment = parseDeploymentYaml(
    readFileSync(join(PROJECT, "examples", "single-host", "trustkern.yaml"), "utf8"),
    "trustkern.yaml",
  );
  const { components, flows } = buildModel(deployment, dockerPlacement(deployment));
  const running = components.filter(({ health }) => health.kind !== "exit");
  const listeners = running.filter(({ ports }) => ports.length > 0);

  /** What a container reaches of all other containers, at every address that they have. */
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
    const script = join(PROJECT, "test", "support", "reach.mjs");
    const inside = ["-t", String(await pidOf(from)), "-n", process.execPath, script, JSON.stringify(targets)];
    const { code, stdout, stderr } = await runProgram("nsenter", inside);
    if (code !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as readonly (Reached & { portName: string })[]).map(
      ({ component, portName, answer }) => ({
        component,
        port: portName,
        answer,
      }),
    );
  }

  describe("a container reaches no other without a flow", () => {
    it.each(running.map(({ name }) => name))("from inside %s", async (from) => {
      const joined = new Set(
        flows
          .filter(needsNetwork)
          .flatMap((flow) => (flow.from === from ? [flow.to] : flow.to === from ? [flow.from] : [])),
      );
      const reached = await reachOf(from);
      const strangers = reached.filter(
        ({ component, answer }) => !joined.has(component) && !answer.startsWith("not reached"),
      );
      expect(strangers).toEqual([]);
      const wanted = flows.filter((flow) => flow.from === from && needsNetwork(flow));
      for (const { to, port } of wanted) {
        const answers = reached.filter((one) => one.component === to && one.port === port).map(({ answer }) => answer);
        expect(answers, `${to}.${port}`).toContain("connected");
      }
    });

    it.each(running.map(({ name }) => name))("and %s reaches nothing outside of the deployment", async (from) => {
      const script = join(PROJECT, "test", "support", "reach.mjs");
      const outside = [
        { host: "192.0.2.1", port: 443, protocol: "tcp" },
        { host: "198.51.100.1", port: 53, protocol: "udp", payload: "00" },
      ];
      const inside = ["-t", String(await pidOf(from)), "-n", process.execPath, script, JSON.stringify(outside)];
      const { stdout } = await runProgram("nsenter", inside);
      const answers = (JSON.parse(stdout) as readonly Reached[]).map(({ answer }) => answer);
      expect(answers).toEqual([expect.stringMatching(/^not reached/), expect.stringMatching(/^not reached/)]);
    });
  });

  describe("every TCP port", () => {
    const ports = listeners.flatMap(({ name, ports }) =>
      ports
        .filter(({ protocol, name: port }) => protocol === "tcp" && port !== "postgres")
        .map(({ port }) => [name, port] as const),
    );

    it.each(ports)("of %s %i speaks TLS 1.3, and nothing older", async (name, port) => {
      expect(await handshake(example, name, port, {})).toBe("TLSv1.3");
      expect(await handshake(example, name, port, { maxVersion: "TLSv1.2" })).toMatch(/^refused/);
    });

    // step-ca hands its certificates to whoever has a token, and has no clients with certificates.
    it.each(ports.filter(([name]) => !name.endsWith("-ca")))("of %s %i asks for a certificate", async (name, port) => {
      expect(await handshake(example, name, port, { cert: undefined, key: undefined })).toMatch(/^refused/);
    });
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
