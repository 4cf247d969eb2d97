import { once } from "node:events";
import { request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadAuthority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import type { CertifiedKey } from "../../../certs/issue.ts";
import { METRICS_PATH } from "../../../services/runtime/metrics/server.ts";
import { type RunningMetrics, startMetrics } from "../../../services/runtime/metrics/start.ts";
import type { SecurityEventInput } from "../../../services/runtime/security-events.ts";
import { BrokerHarness } from "../broker/harness.ts";
import { attempt } from "./attempt.ts";
import { type Authorities, leafOf, makeAuthorities } from "./authorities.ts";
import { MISUSES } from "./misuse.ts";
import { NOBODIES } from "./nobodies.ts";

type Event = Pick<SecurityEventInput, "kind" | "reason"> & { readonly count?: number | undefined };

/** A listener of ours, as the table of misuse sees it. */
interface Listener {
  readonly where: () => ConnectionOptions;
  readonly authorities: () => Authorities;
  /** Who may connect. */
  readonly guest: string;
  readonly events: () => readonly Event[];
}

/** Longest time for which events that are alike are held back. */
const WINDOW_MS = 1000;

/** Every kind of misuse, and a guest that is welcome: else nothing would be shown. */
function refusesAll({ where, authorities, guest, events }: Listener): void {
  const outcome = (shown: CertifiedKey | null, options: ConnectionOptions = {}) =>
    attempt({ ...where(), ...(shown && { cert: shown.certPem, key: shown.keyPem }), ...options });

  test(`takes ${guest}`, async () => {
    expect(await outcome(await leafOf(authorities(), guest))).toBe("accepted");
  });

  test.each(MISUSES)("refuses $kind", async ({ show, options }) => {
    expect(await outcome(await show(authorities()), options)).not.toBe("accepted");
  });

  test("said of each why, in an event, and of nobody else", async () => {
    await delay(WINDOW_MS * 1.5);
    const failed = events().filter(({ kind }) => kind === "AUTH_FAILED");
    for (const { kind, event } of MISUSES)
      expect([kind, failed.some(({ reason }) => event.test(reason ?? ""))]).toEqual([kind, true]);
    expect(failed.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(MISUSES.length);
  });
}

describe("the embedded broker", () => {
  const broker = new BrokerHarness();
  let authorities: Authorities;
  beforeAll(async () => {
    await broker.start({ eventWindowSeconds: WINDOW_MS / 1000 });
    const of = (name: string) => loadAuthority({ certPem: broker.pair(name).cert, keyPem: broker.pair(name).key });
    const [root, services, gateways, operators] = await Promise.all([
      of("root"),
      of("authority-services"),
      of("authority"),
      of("authority-operators"),
    ]);
    const maker = (await issueIntermediate(root, { maker: "northwind", now: new Date() })).authority;
    authorities = { tenant: "acme", root, issuers: { services, gateways, operators }, maker };
  });
  afterAll(() => broker.stop());

  refusesAll({
    where: () => broker.tls(null),
    authorities: () => authorities,
    guest: "gw-01",
    events: () => broker.events,
  });
});

describe("a listener of metrics", () => {
  let authorities: Authorities;
  let running: RunningMetrics;
  const events: Event[] = [];
  const where = () => ({
    ...{ host: "127.0.0.1", port: running.port, servername: "collector.acme.trustkern.internal" },
    ca: authorities.root.certPem,
  });
  beforeAll(async () => {
    authorities = await makeAuthorities("acme");
    const { certPem, keyPem } = await leafOf(authorities, "svc-collector");
    running = await startMetrics({
      config: { listen: { hosts: ["127.0.0.1"], port: 0 }, clients: ["svc-prometheus"] },
      tls: {
        ...{ ca: authorities.root.certPem, cert: certPem, key: keyPem },
        ...{ minVersion: "TLSv1.3", maxVersion: "TLSv1.3" },
      },
      ready: () => true,
      metrics: [],
      events: { emit: (event) => void events.push(event) },
      log: { error: () => undefined },
    });
  });
  afterAll(() => running.close());

  refusesAll({ where, authorities: () => authorities, guest: "svc-prometheus", events: () => events });

  /** Status of a question for the metrics; 0 for no handshake. */
  async function ask({ certPem, keyPem }: CertifiedKey): Promise<number> {
    const asked = request({ ...where(), path: METRICS_PATH, cert: certPem, key: keyPem, agent: false });
    asked.end();
    const [answer] = await once(asked, "response").catch(() => [{ statusCode: 0, resume: () => undefined }]);
    answer.resume();
    return answer.statusCode;
  }

  test("gives them to whom it names", async () => {
    expect(await ask(await leafOf(authorities, "svc-prometheus"))).toBe(200);
  });

  const others = ["gw-01", "svc-backend", "svc-collector"].map((name) => ({
    kind: name,
    show: (own: Authorities) => leafOf(own, name),
  }));
  test.each([...NOBODIES, ...others])("gives $kind nothing", async ({ show }) => {
    expect([0, 403]).toContain(await ask(await show(authorities)));
  });
});
