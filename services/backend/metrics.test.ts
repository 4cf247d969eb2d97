import { expect, test } from "vitest";
import type { FleetCertificate } from "../../certs/fleet-inventory.ts";
import { createRegistry } from "../runtime/metrics/registry.ts";
import { backendMetrics } from "./metrics.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-21T08:00:00Z");

function certificate(name: string, daysAgo: number, changes: Partial<FleetCertificate> = {}): FleetCertificate {
  const notBefore = new Date(NOW - daysAgo * DAY_MS);
  const notAfter = new Date(notBefore.getTime() + 90 * DAY_MS);
  const of = { issuer: "TrustKern gateways", leafClass: "gateways", state: "issued" } as const;
  return { serial: `${name}-${daysAgo}`, name, ...of, notBefore, notAfter, ...changes };
}

/** The lines of a scrape that tell of certificates. */
async function linesOf(...certificates: readonly FleetCertificate[]): Promise<readonly string[]> {
  const metrics = backendMetrics({
    ...{ devices: () => ({}), allowlistVersion: () => 1, tenant: "acme" },
    ...{ certificates: () => certificates, now: () => NOW, unorderedRevocations: () => 0 },
  });
  const text = await createRegistry(metrics).metrics();
  return text.split("\n").filter((line) => line.startsWith("trustkern_certificate_"));
}

test("gives each gateway's newest certificate its end and the share of life that is left", async () => {
  const lines = await linesOf(certificate("gw-01", 80), certificate("gw-01", 45));
  const labels =
    'subject="O=acme, OU=gateways, CN=gw-01",issuer="TrustKern gateways",serial="gw-01-45",class="gateways",used_by="fleet/gw-01",state="ok"';
  expect(lines).toEqual([
    `trustkern_certificate_not_after_seconds{${labels}} ${(NOW + 45 * DAY_MS) / 1000}`,
    `trustkern_certificate_life_left_ratio{${labels}} 0.5`,
  ]);
});

test("says which are revoked and which overdue", async () => {
  const lines = await linesOf(certificate("gw-01", 80), certificate("gw-02", 80, { state: "revoked" }));
  expect(lines.filter((line) => /CN=gw-01.*state="overdue-20"/.test(line))).toHaveLength(2);
  expect(lines.filter((line) => /CN=gw-02.*state="revoked"/.test(line))).toHaveLength(2);
});

test("leaves services to themselves: each measures its own", async () => {
  const of = { issuer: "TrustKern services", leafClass: "services" } as const;
  expect(await linesOf(certificate("svc-broker", 1, of))).toEqual([]);
});
