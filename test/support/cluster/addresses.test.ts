import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseAddresses } from "./addresses.ts";

/** Whether a network holds an address. */
function holds(network: string, address: string): boolean {
  const [base = "", length] = network.split("/");
  const list = new BlockList();
  list.addSubnet(base, Number(length), "ipv4");
  return list.check(address, "ipv4");
}

describe("chooseAddresses", () => {
  it("takes the first network on a machine with a default route alone", () => {
    expect(chooseAddresses(["default", "192.0.2.0/24"]).network).toBe("10.231.0.0/16");
  });

  it.each([
    ["the same network", "10.231.0.0/16"],
    ["a part of it", "10.231.200.0/24"],
    ["one address in it", "10.231.255.255"],
    ["a network that holds it", "10.230.0.0/15"],
  ])("leaves out a network where there is a route to %s", (_, route) => {
    expect(chooseAddresses([route]).network).toBe("10.232.0.0/16");
  });

  it("does not mind a network beside it", () => {
    expect(chooseAddresses(["10.230.0.0/16", "10.232.0.0/16", "172.17.0.0/16"]).network).toBe("10.231.0.0/16");
  });

  it.each([["10.0.0.0/8"], ["10.224.0.0/11"], ["0.0.0.0/1"]])("refuses a machine that has a route to %s", (route) => {
    expect(() => chooseAddresses([route])).toThrow(expect.objectContaining({ code: "CLUSTER_NETWORK_TAKEN" }));
  });

  it("has every address in its network, and services, pods and the link apart", () => {
    const taken = fc.uniqueArray(fc.integer({ min: 231, max: 240 }), { maxLength: 9 });
    fc.assert(
      fc.property(taken, (seconds) => {
        const chosen = chooseAddresses(seconds.map((second) => `10.${second}.7.0/24`));
        const { network, host, node, pods, services, kubernetes, dns } = chosen;
        for (const address of [host, node, kubernetes, dns, pods.split("/")[0] ?? ""])
          expect(holds(network, address)).toBe(true);
        expect([kubernetes, dns].map((address) => holds(services, address))).toEqual([true, true]);
        for (const address of [host, node, pods.split("/")[0] ?? ""]) expect(holds(services, address)).toBe(false);
        for (const address of [host, node, dns]) expect(holds(pods, address)).toBe(false);
        expect(seconds.some((second) => network.startsWith(`10.${second}.`))).toBe(false);
      }),
    );
  });

  it("has a name for the link that the kernel takes: at most 15 characters", () => {
    expect(chooseAddresses([]).link).toMatch(/^[a-z0-9]{1,15}$/);
  });
});
