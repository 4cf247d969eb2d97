import { beforeEach, expect, it } from "vitest";
import type { Credential } from "./credential.ts";
import { createIntroduction } from "./introduction.ts";

let held: Credential[];
let shown: string[];
let failures: unknown[];
let away: boolean;
let introduce: () => Promise<void>;

const credential = (sha256: string, token: string | null = null): Credential =>
  ({ ...{ certPem: "", keyPem: "", notBeforeMs: 0, notAfterMs: 1, authoritySha256: null }, sha256, token }) as const;

beforeEach(() => {
  [held, shown, failures, away] = [[credential("a")], [], [], false];
  const client = {
    introduce: async ({ sha256 }: Credential) => {
      if (away) throw new Error("away");
      shown.push(sha256);
    },
  };
  introduce = createIntroduction({ client, identity: { credentials: () => held }, onFailure: (e) => failures.push(e) });
});

it("shows a certificate without a token once, and the next one too", async () => {
  await introduce();
  await introduce();
  held = [credential("b"), credential("a")];
  await introduce();
  expect([shown, failures]).toEqual([["a", "b"], []]);
});

it.each([
  ["there is a token", () => [credential("a", "gw_x")]],
  ["there is no certificate", () => []],
])("shows nothing where %s", async (_, make) => {
  held = make();
  await introduce();
  expect(shown).toEqual([]);
});

it("comes again after an attempt that got no answer", async () => {
  away = true;
  await introduce();
  expect([shown, failures.length]).toEqual([[], 1]);
  away = false;
  await introduce();
  expect(shown).toEqual(["a"]);
});
