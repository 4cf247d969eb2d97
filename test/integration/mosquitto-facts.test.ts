import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CertifiedKey } from "../../certs/issue.ts";
import { next } from "./broker/harness.ts";
import { attempt } from "./pki/attempt.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";
import { forgeCrl } from "./pki/forge-crl.ts";
import { Mosquitto } from "./pki/mosquitto.ts";

/**
 * What Mosquitto does with nobody before it: each is what the guard's tests (`mosquitto-revocation`, `mosquitto-killed`) would
 * see if what stands against it were taken away. A version that does better makes one of these fail.
 */
const installed = spawnSync("mosquitto", ["-h"]).error === undefined;
describe.skipIf(!installed && process.env.CI !== "true")("Mosquitto without its guard", () => {
  let authorities: Authorities;
  let broker: Mosquitto;
  let revoked: CertifiedKey;
  let good: CertifiedKey;

  const listsOf = async (of: Authorities, { hours, ended = [] }: { hours?: number; ended?: readonly CertifiedKey[] }) =>
    Promise.all([
      forgeCrl(of.root, ended, hours),
      forgeCrl(of.issuers.services, [], hours),
      forgeCrl(of.issuers.operators, [], hours),
      forgeCrl(of.issuers.gateways, [revoked], hours),
    ]);
  const outcome = ({ certPem, keyPem }: CertifiedKey) => attempt({ ...broker.where, cert: certPem, key: keyPem });

  beforeAll(async () => {
    authorities = await makeAuthorities("acme");
    [revoked, good] = await Promise.all([leafOf(authorities, "gw-01"), leafOf(authorities, "gw-01")]);
    broker = new Mosquitto(authorities);
    await broker.start(await listsOf(authorities, {}));
  });
  afterAll(() => broker.stop());

  test("refuses a revoked certificate while its file of lists is whole", async () => {
    expect(await outcome(revoked)).toMatch(/CERTIFICATE_REVOKED$/);
    expect(await outcome(good)).toBe("accepted");
  });

  test.each([
    ["torn", (whole: string) => whole.slice(0, 300)],
    ["empty", () => ""],
    ["gone", () => null],
  ])("accepts it after a reload with a file that is %s", async (_, spoil) => {
    const whole = (await listsOf(authorities, {})).join("");
    await broker.reload({ crlfile: spoil(whole) });
    expect(await outcome(revoked)).toBe("accepted");
    await broker.restart([whole]);
    expect(await outcome(revoked)).toMatch(/CERTIFICATE_REVOKED$/);
  });

  test("leaves the session of a revoked certificate open after a reload", async () => {
    await broker.restart(
      await Promise.all([authorities.root, ...Object.values(authorities.issuers)].map((each) => forgeCrl(each))),
    );
    const client = broker.client(revoked);
    await next(client, "connect");
    await broker.reload({ crlfile: (await listsOf(authorities, {})).join("") });
    expect(await outcome(revoked)).toMatch(/CERTIFICATE_REVOKED$/);
    await delay(1000);
    await client.publishAsync("tk/v1/gw-01/status", "still here", { qos: 1 });
    expect(client.connected).toBe(true);
    await client.endAsync();
  });

  test("lets a client that showed its certificate before a reload connect after it", async () => {
    await broker.restart(
      await Promise.all([authorities.root, ...Object.values(authorities.issuers)].map((each) => forgeCrl(each))),
    );
    const waiting = await broker.handshake(revoked);
    await broker.reload({ crlfile: (await listsOf(authorities, {})).join("") });
    expect(await outcome(revoked)).toMatch(/CERTIFICATE_REVOKED$/);
    expect(await waiting.connack()).toBe(0);
  });

  test("refuses everybody of an issuer whose list has ended", async () => {
    await broker.restart(await listsOf(authorities, { hours: -1 }));
    expect(await outcome(good)).toMatch(/CERTIFICATE_EXPIRED$/);
  });

  test("accepts the certificates of an authority that is revoked itself", async () => {
    const { gateways } = authorities.issuers;
    await broker.restart(await listsOf(authorities, { ended: [gateways] }));
    expect(await outcome({ ...good, certPem: `${good.certPem}${gateways.certPem}` })).toBe("accepted");
  });

  test("refuses them where that authority's list is away", async () => {
    const lists = await listsOf(authorities, { ended: [authorities.issuers.gateways] });
    await broker.restart(lists.slice(0, 3));
    expect(await outcome(good)).not.toBe("accepted");
    expect(await outcome(await leafOf(authorities, "svc-collector"))).toBe("accepted");
  });

  test("refuses everybody after a reload with a key that is not the certificate's", async () => {
    await broker.restart(await listsOf(authorities, {}));
    const other = await leafOf(authorities, "svc-broker");
    await broker.reload({ keyfile: other.keyPem });
    expect(await outcome(good)).not.toBe("accepted");
    await broker.reload({ certfile: other.certPem });
    expect(await outcome(good)).toBe("accepted");
  });

  test("staples no answer of OCSP", async () => {
    expect(await broker.staple(good)).toBe(null);
  });
});
