import type { AedesPublishPacket, Client, ConnectPacket, PublishPacket } from "aedes";
import { describe, expect, test } from "vitest";
import type { SecurityEventInput } from "../runtime/security-events.ts";
import { brokerServiceConfig } from "./config.ts";
import { createCounters } from "./counters.ts";
import { createHooks } from "./hooks.ts";
import type { Session } from "./sessions.ts";

const client = {} as Client;
const SENSOR = "0123456789abcdef01";

function setUp(name = "gw-01", writableLength = 0) {
  const config = {
    name: "broker",
    tenant: "acme",
    controlSocket: "s",
    listen: { hosts: ["127.0.0.1"], port: 0 },
    tls: { caFile: "a", certFile: "b", keyFile: "c" },
    crlFile: "crl.pem",
    stateDir: "state",
    trust: { url: "https://backend:8443", servername: "backend.acme.trustkern.internal" },
    limits: { subscriptions: 2 },
  };
  const { limits } = brokerServiceConfig.parse(config);
  const events: SecurityEventInput[] = [];
  const counters = createCounters();
  const socket = { writableLength, destroyed: false, destroy: () => Object.assign(socket, { destroyed: true }) };
  const session = {
    name,
    isGateway: name.startsWith("gw-"),
    address: "192.0.2.1",
    socket,
    filters: new Set(),
    refused: null,
  } as unknown as Session;
  const sessionOf = (asked: Client) => (asked === client ? session : undefined);
  const hooks = createHooks({ sessionOf, limits, counters, report: (event) => events.push(event) });
  const connect = (packet: Partial<ConnectPacket>) => {
    const full = {
      cmd: "connect",
      clientId: "",
      protocolVersion: 4,
      clean: false,
      keepalive: 60,
      ...packet,
    } as ConnectPacket;
    let outcome: unknown;
    hooks.preConnect(client, full, () => {});
    hooks.authenticate(client, undefined, undefined, (error, ok) => {
      outcome = error ?? ok;
    });
    return { full, outcome };
  };
  const subscribe = (topic: string) => {
    let granted: unknown;
    hooks.authorizeSubscribe(client, { topic, qos: 1 }, (_, subscription) => {
      granted = subscription;
    });
    return granted;
  };
  return { hooks, events, counters, socket, connect, subscribe };
}

describe("a session", () => {
  test("belongs to the identity of the certificate, whatever client id is asked for", () => {
    expect(setUp("gw-01").connect({ clientId: "gw-02" }).full.clientId).toBe("gw-01/gw-02");
    expect(setUp("gw-02").connect({ clientId: "gw-02" }).full.clientId).toBe("gw-02/gw-02");
    expect(setUp().connect({ clientId: "" }).full.clientId).toMatch(/^gw-01\/[0-9a-f-]{36}$/);
  });

  test("is clean, so that nothing is queued for who is away", () => {
    expect(setUp().connect({ clean: false }).full.clean).toBe(true);
  });

  test("is refused with a will on a foreign topic, and that is an event", () => {
    const { connect, events, counters } = setUp();
    const will = { topic: "tk/v1/gw-02/status", payload: Buffer.alloc(0), qos: 1, retain: true } as const;
    expect(connect({ will }).outcome).toMatchObject({ returnCode: 5 });
    expect(events).toEqual([
      { kind: "AUTH_FAILED", actor: "gw-01", sourceAddress: "192.0.2.1", object: "connect", reason: "will" },
    ]);
    expect(counters.connectsDenied).toBe(1);
  });

  test("is refused with a client id that is too long, by the return code for it", () => {
    expect(setUp().connect({ clientId: "x".repeat(200) }).outcome).toMatchObject({ returnCode: 2 });
  });
});

describe("a publication", () => {
  const publish = (name: string, topic: string, asked = client) => {
    const { hooks, events } = setUp(name);
    let error: unknown;
    hooks.authorizePublish(asked, { cmd: "publish", topic, qos: 1, retain: false } as PublishPacket, (given) => {
      error = given;
    });
    return { error, events };
  };

  test("under the own name is taken", () => {
    expect(publish("gw-01", `tk/v1/gw-01/up/${SENSOR}`)).toEqual({ error: null, events: [] });
  });

  test("under another's name is refused, and that is an event", () => {
    const { error, events } = publish("gw-02", `tk/v1/gw-01/up/${SENSOR}`);
    expect(error).toBeInstanceOf(Error);
    expect(events).toMatchObject([
      { kind: "AUTH_FAILED", actor: "gw-02", object: `tk/v1/gw-01/up/${SENSOR}`, reason: "topic" },
    ]);
  });

  test("of a client without a session is refused", () => {
    expect(publish("gw-01", `tk/v1/gw-01/up/${SENSOR}`, {} as Client).error).toBeInstanceOf(Error);
  });
});

describe("a subscription", () => {
  test("that the table does not grant gets none, and that is an event", () => {
    const { subscribe, events, counters } = setUp();
    expect(subscribe("#")).toBeNull();
    expect(events).toMatchObject([{ kind: "AUTH_FAILED", actor: "gw-01", object: "#", reason: "topic" }]);
    expect(counters.subscriptionsDenied).toBe(1);
  });

  test("is refused above the limit, but not when it is one of those already there", () => {
    const { subscribe } = setUp();
    expect(subscribe("tk/v1/gw-01/trust")).not.toBeNull();
    expect(subscribe("tk/v1/gw-01/receipt")).not.toBeNull();
    expect(subscribe("tk/v1/gw-01/cmd/+")).toBeNull();
    expect(subscribe("tk/v1/gw-01/trust")).not.toBeNull();
  });
});

describe("a delivery", () => {
  const message = (topic: string) => ({ topic }) as AedesPublishPacket;

  test("reaches only whom the table lets read the topic, were the subscription wrong", () => {
    const { hooks } = setUp("gw-01");
    expect(hooks.authorizeForward(client, message("tk/v1/gw-01/trust"))).not.toBeNull();
    expect(hooks.authorizeForward(client, message("tk/v1/gw-02/trust"))).toBeNull();
    expect(hooks.authorizeForward(client, message("$SYS/x/new/clients"))).toBeNull();
  });

  test("ends the connection of a gateway that leaves too much unread", () => {
    const { hooks, socket, events } = setUp("gw-01", 8_388_609);
    expect(hooks.authorizeForward(client, message("tk/v1/gw-01/trust"))).toBeNull();
    expect(socket.destroyed).toBe(true);
    expect(events).toMatchObject([{ kind: "RATE_LIMIT_EXCEEDED", reason: "slow-client" }]);
  });

  test("to a service whose queue is full is dropped, and its connection stays", () => {
    const up = message(`tk/v1/gw-01/up/${SENSOR}`);
    expect(setUp("svc-collector", 33_554_432).hooks.authorizeForward(client, up)).not.toBeNull();
    const { hooks, socket, events, counters } = setUp("svc-collector", 33_554_433);
    expect(hooks.authorizeForward(client, up)).toBeNull();
    expect(socket.destroyed).toBe(false);
    expect(counters.messagesDropped).toBe(1);
    expect(events).toMatchObject([{ kind: "RATE_LIMIT_EXCEEDED", actor: "svc-collector", reason: "queue-full" }]);
  });
});
