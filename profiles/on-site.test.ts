import { expect, it } from "vitest";
import { isOnSite } from "./on-site.ts";

it.each([
  "https://10.0.0.1",
  "https://10.255.255.255:8200",
  "https://172.16.0.1",
  "https://172.31.255.255",
  "https://192.168.1.2:8200",
  "https://[fc00::1]",
  "https://[fd00::1]:8200",
  "https://[fdff:ffff::1]",
  "https://vault.internal:8200",
  "https://vault.plant-7.internal",
  "https://vault.home.arpa",
])("%s is on the site", (url) => {
  expect(isOnSite(url)).toBe(true);
});

it.each([
  ["a public address", "https://1.1.1.1"],
  ["the address before 10/8", "https://9.255.255.255"],
  ["the address after 172.16/12", "https://172.32.0.1"],
  ["the address after 192.168/16", "https://192.169.0.1"],
  ["this machine, which in a container is the container", "https://127.0.0.1:8200"],
  ["a link-local address", "https://169.254.169.254"],
  ["the address before fc00::/7", "https://[fbff:ffff::1]"],
  ["the address after fc00::/7", "https://[fe00::1]"],
  ["a link-local IPv6 address", "https://[fe80::1]"],
  ["a site-local address, which RFC 3879 took back", "https://[fec0::1]"],
  ["a multicast address", "https://[ff02::1]"],
  ["a public IPv6 address", "https://[2001:db8::1]"],
  ["a public address in IPv6 clothes", "https://[::ffff:1.1.1.1]"],
  ["a public address in another notation", "https://0x01010101"],
  ["a public name", "https://vault.example.com"],
  ["a name that begins like a private address", "https://10.0.0.1.example.com"],
  ["a name that has internal in its middle", "https://vault.internal.example.com"],
  ["a name that ends in internal, without a dot", "https://vaultinternal"],
  ["the top-level domain itself", "https://internal"],
  ["a name that only multicast answers", "https://vault.local"],
  ["a name of a provider's own resolver", "https://metadata.google.internal"],
  ["a machine's name at a provider", "https://ip-10-0-0-1.eu-west-1.compute.internal"],
  ["no URL", "10.0.0.1"],
  ["nothing", undefined],
])("%s is not on the site", (_, url) => {
  expect(isOnSite(url)).toBe(false);
});
