import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CertifiedKey } from "../../../certs/issue.ts";
import type { SecurityEvent } from "../../../shared/security-event.ts";
import { Harness, until } from "../backend/harness.ts";
import { attempt } from "./attempt.ts";
import { type Authorities, leafOf, makeAuthorities } from "./authorities.ts";
import { MISUSES } from "./misuse.ts";
import { NOBODIES } from "./nobodies.ts";

/** A route for operators alone. */
const ROUTE = "/v1/devices";

describe("the backend's HTTPS server", () => {
  const harness = new Harness();
  let authorities: Authorities;
  let port = 0;
  let events: () => readonly SecurityEvent[] = () => [];
  beforeAll(async () => {
    authorities = await makeAuthorities("acme");
    const { brokerPort } = await harness.prepare();
    const { certPem, keyPem } = await leafOf(authorities, "svc-backend");
    harness.write("ca.pem", authorities.root.certPem);
    harness.write("svc-backend.pem", certPem);
    harness.write("svc-backend.key", keyPem);
    const { log } = await harness.startBackend(harness.backendConfig(brokerPort));
    events = () => log().flatMap(({ event }) => (event === undefined ? [] : [event as SecurityEvent]));
    port = (await harness.waitStatus("backend", (status) => status.port !== undefined)).port as number;
  });
  afterAll(() => harness.close());

  const material = (shown: CertifiedKey | null) => ({
    ca: authorities.root.certPem,
    cert: shown?.certPem,
    key: shown?.keyPem,
  });
  const call = (shown: CertifiedKey) => harness.call(null, "GET", ROUTE, undefined, material(shown));
  /** The next event that is of a refusal. */
  const refusal = (from: number) =>
    until(() =>
      events()
        .slice(from)
        .find(({ kind }) => kind === "AUTH_FAILED"),
    );

  test("takes an operator's certificate", async () => {
    expect((await call(await leafOf(authorities, "op-admin"))).status).toBe(200);
  });

  test.each(MISUSES)("refuses $kind, with an event that says why", async ({ show, options, event }) => {
    const from = events().length;
    const where = { host: "127.0.0.1", port, servername: "backend.acme.trustkern.internal" };
    expect(await attempt({ ...where, ...material(await show(authorities)), ...options })).not.toBe("accepted");
    expect(await refusal(from)).toMatchObject({ actor: "unknown", reason: expect.stringMatching(event) });
  });

  const nobodies = NOBODIES.filter(({ kind }) => kind !== "an operator");
  const others = ["gw-01", "svc-broker", "svc-collector", "svc-backend"].map((name) => ({
    kind: name,
    show: (own: Authorities) => leafOf(own, name),
  }));
  test.each([...nobodies, ...others])("refuses $kind what operators may, with an event", async ({ show }) => {
    const from = events().length;
    const status = await call(await show(authorities)).then(
      (answer) => answer.status,
      () => "no handshake",
    );
    const role = { object: `GET ${ROUTE}`, reason: "BACKEND_ROLE_REFUSED" };
    expect([403, "no handshake"]).toContain(status);
    expect(await refusal(from)).toMatchObject(status === 403 ? role : { object: "tls" });
  });
});
