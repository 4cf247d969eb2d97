import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT } from "../../support/deployment.ts";
import { docker, type Example, runInside, tlsFiles } from "../../support/docker.ts";
import { runProgram } from "../../support/run.ts";

const RULES = join(PROJECT, "stacks", "docker", "firewall.nft");
/** Of a network for documentation (RFC 5737), which the test gives a route to. */
const OUTSIDE = "198.51.100.1";
const COUNTER = `table ip trustkern-test {
  chain leaving { type filter hook postrouting priority 0; ip daddr ${OUTSIDE} counter; }
}
`;

async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Packets to {@link OUTSIDE} that passed every rule of this host. */
async function left(): Promise<number> {
  return Number(/packets (\d+)/.exec(await run("nft", "list", "table", "ip", "trustkern-test"))?.[1]);
}

/** Holds that the rules for the host close what Docker's own leave open, and that a deployment does not notice them. */
export function holdFirewall(example: Example): void {
  describe("with the rules for the host", () => {
    const server = createServer((socket) => socket.destroy());
    let port = 0;

    beforeAll(async () => {
      await run("ip", "link", "add", "tktest0", "type", "veth", "peer", "name", "tktest1");
      for (const end of ["tktest0", "tktest1"]) await run("ip", "link", "set", end, "up");
      await run("ip", "neigh", "replace", OUTSIDE, "lladdr", "02:00:00:00:00:01", "dev", "tktest0");
      await run("ip", "route", "add", `${OUTSIDE}/32`, "dev", "tktest0");
      await run("nft", COUNTER);
      await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
      port = (server.address() as { port: number }).port;
    });
    afterAll(async () => {
      server.close();
      for (const table of [
        ["inet", "trustkern"],
        ["ip", "trustkern-test"],
      ])
        await runProgram("nft", ["delete", "table", ...table]);
      await runProgram("ip", ["link", "delete", "tktest0"]);
    });

    /** What a component, which publishes a port, reaches of the world, and of a service of this host at each of its gateways. */
    async function tries(from: string): Promise<{ left: number; host: readonly string[] }> {
      const format = "{{range .NetworkSettings.Networks}}{{.Gateway}} {{.IPAddress}} {{end}}";
      const addresses = (await docker(["inspect", "-f", format, from])).stdout.trim().split(/\s+/);
      // An internal network has a gateway's address, and no gateway.
      const gateways = addresses.map((address) => address.replace(/\d+$/, (last) => String((Number(last) & ~7) + 1)));
      const before = await left();
      const targets = [
        { host: OUTSIDE, port: 53, protocol: "udp", payload: "00" },
        ...[...new Set(gateways)].map((host) => ({ host, port, protocol: "tcp" })),
      ];
      const [, ...host] = await runInside<readonly { answer: string }[]>(from, "reach.mjs", targets);
      return { left: (await left()) - before, host: [...new Set(host.map(({ answer }) => answer))] };
    }

    it("single packets leave, and services of the host answer, before they are loaded", async () => {
      expect(await tries("broker")).toEqual({ left: 1, host: ["connected"] });
    });

    it("no packet leaves, and no service of the host answers, once they are; twice is as once", async () => {
      await run("nft", "-f", RULES);
      await run("nft", "-f", RULES);
      for (const name of ["broker", "gw-01", "backend", "collector", "prometheus"])
        expect(await tries(name), name).toEqual({ left: 0, host: ["not reached (timeout)"] });
    });

    it("published ports answer, and every component stays well", async () => {
      const asked = { ...tlsFiles(example, "backend", "prometheus"), host: "127.0.0.1", port: 8443 };
      const script = join(PROJECT, "test", "support", "tls-inside.mjs");
      expect(JSON.parse(await run(process.execPath, script, JSON.stringify(asked)))).toBe("TLSv1.3");
      expect((await example.cli(["deploy", "--wait"])).code).toBe(0);
      const restarted = await docker(["restart", "backend", "broker", "gw-01"]);
      expect(restarted.code).toBe(0);
      await expect.poll(async () => (await example.cli(["status"])).code, { timeout: 90_000, interval: 3000 }).toBe(0);
    });
  });
}
