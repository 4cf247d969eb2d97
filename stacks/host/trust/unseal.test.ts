import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RemoteError } from "../../../shared/control-client.ts";
import { EXIT, type TrustKernError } from "../../../shared/errors.ts";
import { grpcErrors } from "../../../shared/grpc/client.ts";
import { dockerErrors } from "../docker-cli.ts";
import { type TestHost, testHost } from "./test-host.ts";
import { type Unsealing, type UnsealReport, unsealChecked, untilAnswers } from "./unseal.ts";
import { watchStarts } from "./watch.ts";

let host: TestHost;
let custody: PlayedCustody;
beforeEach(async () => {
  host = testHost();
  custody = { sealed: true, because: "started", orders: [] };
  await host.deploy();
});
afterEach(() => host.end());

interface PlayedCustody {
  sealed: boolean;
  because: "started" | "ordered";
  storeIsNew?: boolean;
  /** Passphrase of each order to unseal. */
  orders: string[];
  /** Thrown by any call, or by orders to unseal, while it is set. */
  away?: Error;
  refuses?: Error;
}

const wrongPin = new RemoteError("SIGNER_PIN_WRONG", { exit: EXIT.failed, summary: "a PIN", fix: "mend it" }, "wrong");
const away = grpcErrors.error("GRPC_UNREACHABLE", "UNAVAILABLE: no socket");

function unsealing(changes: Partial<Unsealing> = {}): Unsealing {
  const call = async (method: string, request: { passphrase?: Uint8Array }): Promise<unknown> => {
    if (custody.away) throw custody.away;
    if (method === "unseal") {
      custody.orders.push(Buffer.from(request.passphrase ?? []).toString());
      if (custody.refuses) throw custody.refuses;
      custody.sealed = false;
    }
    const { because: sealedBecause, storeIsNew } = custody;
    return custody.sealed ? { sealed: true, sealedBecause, storeIsNew } : { sealed: false };
  };
  const management = { call } as unknown as Unsealing["management"];
  return { ...host.place, management, check: host.check, actor: "cli:anna", clock: () => new Date(0), ...changes };
}

const events = () => {
  try {
    const lines = readFileSync(host.at("logs/deploy.ndjson"), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line).event);
  } catch {
    return [];
  }
};
const spoil = () => {
  host.containers.custody.Config.User = "0:0";
};

describe("an order to unseal", () => {
  it("is given where everything fits", async () => {
    expect(await unsealChecked(unsealing())).toEqual({
      schema: "trustkern.keys-unseal/1",
      manifestVersion: 1,
      wasSealed: true,
    });
    expect(custody).toMatchObject({ sealed: false, orders: [""] });
    expect(events()).toEqual([]);
  });

  it("is not given where something does not fit: an event, every finding, and custody stays sealed", async () => {
    spoil();
    host.containers.custody.HostConfig.Privileged = true;
    const thrown: TrustKernError = await unsealChecked(unsealing()).catch((error) => error);
    expect(thrown).toMatchObject({ code: "CUSTODY_START_REFUSED", exit: 5 });
    expect(thrown.cause).toHaveLength(2);
    expect(custody).toMatchObject({ sealed: true, orders: [] });
    expect(events()).toMatchObject([
      { kind: "CUSTODY_START_REFUSED", tenant: "acme", actor: "cli:anna", reason: "START_CONTAINER_CHANGED", count: 2 },
    ]);
  });

  it("is checked also where custody is unsealed already, and not given twice", async () => {
    custody.sealed = false;
    expect((await unsealChecked(unsealing())).wasSealed).toBe(false);
    expect(custody.orders).toEqual([]);
    spoil();
    await expect(unsealChecked(unsealing())).rejects.toMatchObject({ code: "CUSTODY_START_REFUSED" });
  });

  it("overrides a person's order to seal, for it is a person's as well", async () => {
    custody.because = "ordered";
    await unsealChecked(unsealing());
    expect(custody.sealed).toBe(false);
  });

  it("carries the passphrase, and overwrites it, also where custody refuses it", async () => {
    for (const refuses of [undefined, wrongPin]) {
      const passphrase = Buffer.from("correct horse");
      Object.assign(custody, { sealed: true, refuses });
      await unsealChecked(unsealing({ passphrase: async () => passphrase })).catch(() => undefined);
      expect(custody.orders.at(-1)).toBe("correct horse");
      expect(passphrase).toEqual(Buffer.alloc(passphrase.length));
    }
  });

  it.each([
    [true, true],
    [false, false],
    [undefined, false],
  ])("asks for the passphrase by custody's own word of its store: new is %s", async (storeIsNew, said) => {
    if (storeIsNew !== undefined) custody.storeIsNew = storeIsNew;
    const heard: boolean[] = [];
    const passphrase = async (isNew: boolean) => {
      heard.push(isNew);
      return Buffer.from("correct horse");
    };
    await unsealChecked(unsealing({ passphrase }));
    await unsealChecked(unsealing({ passphrase }));
    expect([heard, custody.orders]).toEqual([[said], ["correct horse"]]);
  });

  it("asks nobody for a passphrase where something does not fit", async () => {
    spoil();
    let asked = false;
    const passphrase = async () => {
      asked = true;
      return new Uint8Array();
    };
    await unsealChecked(unsealing({ passphrase })).catch(() => undefined);
    expect(asked).toBe(false);
  });

  it("is not given where Docker does not answer", async () => {
    const check = async () => {
      throw dockerErrors.error("DOCKER_UNREACHABLE", "away");
    };
    await expect(unsealChecked(unsealing({ check }))).rejects.toMatchObject({ code: "DOCKER_UNREACHABLE" });
    expect(custody.orders).toEqual([]);
  });
});

describe("waiting for custody", () => {
  const signal = new AbortController().signal;

  it("ends when it answers", async () => {
    custody.away = away;
    setTimeout(() => delete custody.away, 100);
    await untilAnswers(unsealing().management, { limitMs: 5_000, signal });
  });

  it("ends with the limit, and with another error at once", async () => {
    custody.away = away;
    await expect(untilAnswers(unsealing().management, { limitMs: 1, signal })).rejects.toBe(away);
    custody.away = wrongPin;
    await expect(untilAnswers(unsealing().management, { limitMs: 60_000, signal })).rejects.toBe(wrongPin);
  });
});

describe("a watch", () => {
  const told: { unsealed: UnsealReport[]; refused: string[]; away: string[] } = { unsealed: [], refused: [], away: [] };
  let end: AbortController;
  let ended: Promise<void>;
  beforeEach(() => {
    Object.assign(told, { unsealed: [], refused: [], away: [] });
    end = new AbortController();
  });
  afterEach(async () => {
    end.abort();
    await ended.catch(() => undefined);
  });
  const watch = () => {
    ended = watchStarts(unsealing(), {
      signal: end.signal,
      lookMs: 5,
      onUnsealed: (report) => told.unsealed.push(report),
      onRefused: ({ code }) => told.refused.push(code),
      onAway: ({ code }) => told.away.push(code),
    });
    ended.catch(() => undefined);
  };
  const until = async (done: () => boolean) => {
    for (let tries = 0; !done() && tries < 400; tries += 1) await sleep(5);
    expect(done()).toBe(true);
  };

  it("unseals after each start", async () => {
    watch();
    await until(() => told.unsealed.length === 1);
    custody.sealed = true;
    await until(() => told.unsealed.length === 2);
  });

  it("leaves sealed what somebody ordered sealed", async () => {
    custody.because = "ordered";
    watch();
    await sleep(50);
    expect(custody.orders).toEqual([]);
  });

  it("tells a refusal once, with one event, and unseals when it is mended", async () => {
    spoil();
    watch();
    await until(() => told.refused.length === 1);
    await sleep(50);
    expect([told.refused, events().length]).toEqual([["CUSTODY_START_REFUSED"], 1]);
    host.containers.custody.HostConfig.Privileged = true;
    await until(() => told.refused.length === 2);
    expect(custody.orders).toEqual([]);
    Object.assign(host.containers.custody.HostConfig, { Privileged: false });
    host.containers.custody.Config.User = "10001:10001";
    await until(() => !custody.sealed);
  });

  it("waits for who is away, and says so once", async () => {
    custody.away = away;
    watch();
    await until(() => told.away.length === 1);
    await sleep(30);
    expect(told.away).toEqual(["GRPC_UNREACHABLE"]);
    delete custody.away;
    await until(() => !custody.sealed);
  });

  it("waits for a token that is not there yet", async () => {
    const message = "no such token";
    custody.refuses = new RemoteError("SIGNER_TOKEN_MISSING", { exit: EXIT.failed, summary: "a", fix: "b" }, message);
    watch();
    await until(() => custody.orders.length > 1);
    expect(told.away).toEqual(["SIGNER_TOKEN_MISSING"]);
    delete custody.refuses;
    await until(() => !custody.sealed);
  });

  it("ends with what custody refuses, and does not try a PIN twice", async () => {
    custody.refuses = wrongPin;
    watch();
    await expect(ended).rejects.toBe(wrongPin);
    expect(custody.orders).toEqual([""]);
  });

  it("ends when it is told to, also in the middle of a look", async () => {
    const check = async () => {
      end.abort();
      throw dockerErrors.error("DOCKER_MISSING", "killed");
    };
    const nothing = () => undefined;
    const hears = { onUnsealed: nothing, onRefused: nothing, onAway: nothing };
    ended = watchStarts(unsealing({ check }), { signal: end.signal, lookMs: 5, ...hears });
    await ended;
    expect(custody.orders).toEqual([]);
  });

  it("ends when it is told to", async () => {
    custody.because = "ordered";
    watch();
    end.abort();
    await ended;
  });
});
