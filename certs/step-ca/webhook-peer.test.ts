import type { DetailedPeerCertificate } from "node:tls";
import { describe, expect, test } from "vitest";
import { webhookPeer } from "./webhook-peer.ts";

const NAME = "gateways-ca.acme.trustkern.internal";
const peer = (subject: object, issuer: object = { O: "acme", CN: "TrustKern gateways" }): DetailedPeerCertificate =>
  ({ subject, issuer }) as DetailedPeerCertificate;

describe("a webhook's peer", () => {
  test("is the authority whose server's name it has, under that authority", () => {
    expect(webhookPeer(peer({ CN: NAME }), "acme")).toBe("gateways");
    const issuer = { O: "acme", CN: "TrustKern operators" };
    expect(webhookPeer(peer({ CN: "operators-ca.acme.trustkern.internal" }, issuer), "acme")).toBe("operators");
  });

  test.each([
    ["nobody", undefined],
    ["a certificate without a subject", peer({})],
    ["a gateway", peer({ O: "acme", OU: "gateways", CN: "gw-01" })],
    ["a gateway with the server's name", peer({ O: "acme", OU: "gateways", CN: NAME })],
    ["the server's name before a class", peer({ CN: NAME, O: "acme", OU: "gateways" })],
    ["two names", peer({ CN: [NAME, "x"] })],
    ["the server of another tenant", peer({ CN: "gateways-ca.other.trustkern.internal" })],
    ["another server", peer({ CN: "backend.acme.trustkern.internal" })],
    ["the name under the services' authority", peer({ CN: NAME }, { O: "acme", CN: "TrustKern services" })],
    ["the name under the operators' authority", peer({ CN: NAME }, { O: "acme", CN: "TrustKern operators" })],
    ["the name under another tenant's authority", peer({ CN: NAME }, { O: "other", CN: "TrustKern gateways" })],
    ["an attribute that is no common name", peer({ O: NAME })],
  ])("is null for %s", (_, shown) => {
    expect(webhookPeer(shown, "acme")).toBeNull();
  });
});
