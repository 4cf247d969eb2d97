import { describe, expect, it } from "vitest";
import { looksLikeSecret, mayHoldSecret } from "./secret-text.ts";

describe("looks like a secret", () => {
  it.each([
    "-----BEGIN EC PRIVATE KEY-----",
    "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t",
    "AGE-SECRET-KEY-1QQQ",
    "$argon2id$v=19$m=65536",
    "$2b$12$abcdefghijkl",
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIx",
    `key AKIA${"AB12".repeat(4)} of`,
    `ghp_${"a1".repeat(18)}`,
    `github_pat_${"a1".repeat(18)}`,
    `glpat-${"a1".repeat(10)}`,
    `xoxb-${"12".repeat(8)}`,
    `AIza${"a1b2c".repeat(7)}`,
    `hvs.${"Ab1".repeat(9)}`,
  ])("%s", (text) => expect([looksLikeSecret(text), mayHoldSecret(text)]).toEqual([true, true]));

  it.each([
    "-----BEGIN PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----",
    "AKIA is how they begin",
    `sha256:${"0123456789abcdef".repeat(4)}`,
    "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "/srv/plant/.trustkern/volumes/custody/keys",
    "tk-single-host_gw-01_broker_mqtts",
    "age1pq1qqqqqqqqqq",
  ])("and not %s", (text) => expect(looksLikeSecret(text)).toBe(false));
});

describe("a sentence may hold a secret", () => {
  it.each([
    "the password is Sup3rS3cretHunter2",
    "use token=a1b2c3d4 for it",
    'the PIN: "4711-0815"',
    "see Zm9vYmFyMTIzNDU2Nzg5MHF3ZXJ0eXVpb3A for it",
  ])("%s", (text) => expect(mayHoldSecret(text)).toBe(true));

  it.each([
    "the broker loses sessions since 2027-03-01",
    "a test bench without a TPM: nothing that is measured there is real",
    "the token is kept in the safe of the plant",
    "no token or PIN: the site has none of 12",
  ])("and not %s", (text) => expect(mayHoldSecret(text)).toBe(false));
});
