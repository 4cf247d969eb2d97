import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, it } from "vitest";
import { createGateways } from "../fleet/gateways.ts";
import { openDatabase } from "../registry/database.ts";
import { endedSessions } from "../revocation/sessions.ts";
import { bearerToken } from "./secret.ts";
import { createTokens, MAX_VALID_TOKENS, type Tokens } from "./tokens.ts";

const DAY = 86_400_000;
const certificateSha256 = "ab".repeat(32);
const request = { gateway: "gw-01", certificateSha256, lifetimeDays: 90 };
const thrown = (code: string): unknown => expect.objectContaining({ code, exit: 3 });
let nowMs: number;
let stateDir: string;
let db: DatabaseSync;
let tokens: Tokens;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  stateDir = mkdtempSync(join(tmpdir(), "tk-tokens-"));
  db = openDatabase(stateDir);
  const now = (): number => nowMs;
  for (const name of ["gw-01", "gw-02"]) createGateways(db, now).ensure(name);
  tokens = createTokens(db, now);
});

const verify = (token: string, changes: object = {}) =>
  tokens.verify({ gateway: "gw-01", certificateSha256, token, ...changes });

it("makes gw_ and 54 URL-safe characters, never the same ones, and keeps nothing of them but a digest", () => {
  const made = Array.from({ length: MAX_VALID_TOKENS }, () => tokens.issue(request).token);
  for (const token of made) expect(token).toMatch(/^gw_[A-Za-z0-9_-]{54}$/);
  expect(new Set(made).size).toBe(MAX_VALID_TOKENS);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const stored = readFileSync(join(stateDir, "backend.db")).toString("latin1");
  for (const token of made) {
    expect(stored).not.toContain(token);
    expect(stored).not.toContain(token.slice(3));
  }
  expect(JSON.stringify(tokens.list("gw-01"))).not.toContain(made[0]);
});

it("takes a token with its certificate until it expires, and not at that moment", () => {
  const { token, id, expiresAtMs } = tokens.issue(request);
  expect(verify(token)).toMatchObject({ id, gateway: "gw-01" });
  nowMs = expiresAtMs - 1;
  verify(token);
  nowMs = expiresAtMs;
  expect(() => verify(token)).toThrow(thrown("TOKEN_EXPIRED"));
});

it.each([
  ["another gateway's name", { gateway: "gw-02" }, "TOKEN_INVALID"],
  ["a name that nobody has", { gateway: "gw-99" }, "TOKEN_INVALID"],
  ["another certificate", { certificateSha256: "cd".repeat(32) }, "TOKEN_OTHER_CERTIFICATE"],
  ["no certificate's digest", { certificateSha256: "" }, "TOKEN_OTHER_CERTIFICATE"],
  ["a part of the certificate's digest", { certificateSha256: "ab".repeat(31) }, "TOKEN_OTHER_CERTIFICATE"],
])("refuses a token with %s", (_, changes, code) => {
  const { token } = tokens.issue(request);
  expect(() => verify(token, changes)).toThrow(thrown(code));
});

it("refuses every token that differs in one character", () => {
  const { token } = tokens.issue(request);
  for (let i = 3; i < token.length; i += 1) {
    const changed = `${token.slice(0, i)}${token[i] === "A" ? "B" : "A"}${token.slice(i + 1)}`;
    expect(() => verify(changed)).toThrow(thrown("TOKEN_INVALID"));
  }
});

it("has both valid during a rotation, and the old one no longer after the overlap", () => {
  const old = tokens.issue(request);
  const fresh = tokens.rotate({ ...request, overlapHours: 24 });
  for (const { token } of [old, fresh]) verify(token);
  nowMs += DAY - 1;
  verify(old.token);
  nowMs += 1;
  expect(() => verify(old.token)).toThrow(thrown("TOKEN_EXPIRED"));
  verify(fresh.token);
});

it("lengthens no token by a rotation", () => {
  const short = tokens.issue({ ...request, lifetimeDays: 1 });
  tokens.rotate({ ...request, overlapHours: 168 });
  expect(tokens.list("gw-01").find(({ id }) => id === short.id)?.expiresAtMs).toBe(short.expiresAtMs);
});

it("ends a revoked token at once, for good, and the gateway's session with it", () => {
  const [first, second] = [tokens.issue(request), tokens.issue(request)];
  const revoked = tokens.revoke("gw-01", first.id);
  expect(() => verify(first.token)).toThrow(thrown("TOKEN_REVOKED"));
  verify(second.token);
  expect(tokens.revoke("gw-01", first.id)).toEqual(revoked);
  expect(endedSessions(db, 0)).toEqual([{ seq: 1, name: "gw-01", reason: "token-revoked" }]);
});

it("revokes no token by the name of another gateway", () => {
  const { id, token } = tokens.issue(request);
  expect(() => tokens.revoke("gw-02", id)).toThrow(expect.objectContaining({ code: "TOKEN_UNKNOWN", exit: 6 }));
  verify(token);
});

it("gives a gateway no more valid tokens than it may have; expired and revoked ones do not count", () => {
  const made = Array.from({ length: MAX_VALID_TOKENS }, () => tokens.issue({ ...request, lifetimeDays: 1 }));
  expect(() => tokens.issue(request)).toThrow(expect.objectContaining({ code: "TOKEN_LIMIT" }));
  expect(() => tokens.rotate({ ...request, overlapHours: 1 })).toThrow(
    expect.objectContaining({ code: "TOKEN_LIMIT" }),
  );
  expect(tokens.list("gw-01").map(({ expiresAtMs }) => expiresAtMs)).toEqual(
    made.map(({ expiresAtMs }) => expiresAtMs),
  );
  tokens.revoke("gw-01", made[0]!.id);
  tokens.issue(request);
  nowMs += DAY;
  tokens.issue(request);
});

it("never keeps a gateway from renewing: at the limit the unused one gives way, then the one that was used longest ago", () => {
  const made = Array.from({ length: MAX_VALID_TOKENS }, () => tokens.issue(request));
  const [first, second, unused, ...others] = made;
  for (const used of [second, first, ...others]) {
    nowMs += DAY;
    verify(used!.token);
  }
  const renewed = tokens.renew(request);
  expect(() => verify(unused!.token)).toThrow(thrown("TOKEN_EXPIRED"));
  for (const { token } of [renewed, first!, ...others]) {
    nowMs += DAY;
    verify(token);
  }
  const again = tokens.renew(request);
  expect(() => verify(second!.token)).toThrow(thrown("TOKEN_EXPIRED"));
  for (const { token } of [again, renewed, first!, ...others]) verify(token);
});

it("takes no token from a gateway that renews below the limit", () => {
  const made = Array.from({ length: MAX_VALID_TOKENS - 1 }, () => tokens.issue(request));
  for (const { token } of [...made, tokens.renew(request)]) verify(token);
});

it.each([
  ["no header", undefined, null],
  ["a token", `Bearer gw_${"a".repeat(54)}`, `gw_${"a".repeat(54)}`],
  ["the scheme in lower case", `bearer gw_${"a".repeat(54)}`, `gw_${"a".repeat(54)}`],
  ["an empty header", "", "malformed"],
  ["another scheme", `Basic gw_${"a".repeat(54)}`, "malformed"],
  ["no scheme", `gw_${"a".repeat(54)}`, "malformed"],
  ["a character less", `Bearer gw_${"a".repeat(53)}`, "malformed"],
  ["a character more", `Bearer gw_${"a".repeat(55)}`, "malformed"],
  ["another prefix", `Bearer op_${"a".repeat(54)}`, "malformed"],
  ["a character that is not URL-safe", `Bearer gw_${"a".repeat(53)}+`, "malformed"],
  ["two tokens", `Bearer gw_${"a".repeat(54)} gw_${"a".repeat(54)}`, "malformed"],
  ["a line break", `Bearer gw_${"a".repeat(54)}\n`, "malformed"],
])("reads of %s what it should", (_, header, expected) => {
  expect(bearerToken(header)).toBe(expected);
});

it("makes none for a revoked gateway, nor for a revoked certificate", () => {
  const gateways = createGateways(db, () => nowMs);
  db.prepare(
    `INSERT INTO certificate (serial, sha256, issuer, class, name, public_key, not_after, state, recorded_at)
     VALUES ('7f', ?, 'TrustKern gateways', 'gateways', 'gw-02', '04', 1, 'revoked', 1)`,
  ).run(certificateSha256);
  const makers = [tokens.issue, tokens.renew, (each: typeof request) => tokens.rotate({ ...each, overlapHours: 1 })];
  for (const make of makers)
    expect(() => make({ ...request, gateway: "gw-02" })).toThrow(
      expect.objectContaining({ code: "TOKEN_NO_CERTIFICATE" }),
    );
  db.exec("DELETE FROM certificate");
  gateways.revoke("gw-02", "keyCompromise");
  for (const make of makers)
    expect(() => make({ ...request, gateway: "gw-02" })).toThrow(expect.objectContaining({ code: "GATEWAY_REVOKED" }));
  expect(tokens.list("gw-02")).toEqual([]);
});
