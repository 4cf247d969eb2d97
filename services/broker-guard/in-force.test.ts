import { expect, test } from "vitest";
import type { TrustedCrl } from "../runtime/broker-trust/trusted-crl.ts";
import { CRL_FILE, filesOf, SERVICES_CRL_FILE } from "./in-force.ts";

const list = (issuer: string): TrustedCrl => ({ issuer: `TrustKern ${issuer}` }) as TrustedCrl;
const files = (issuers: readonly string[], forServices = true) =>
  filesOf({ crls: issuers.map(list) }, { forServices }).map(({ name, crls }) => [
    name,
    crls.map(({ issuer }) => issuer.slice("TrustKern ".length)),
  ]);
const ALL = ["root", "services", "gateways", "operators", "maker services"];

test("the file for services has no list of gateways, operators or makers, and the other file has every one", () => {
  expect(files(ALL)).toEqual([
    [SERVICES_CRL_FILE, ["root", "services"]],
    [CRL_FILE, ALL],
  ]);
});

test("the lists of an authority and of its successor are both there", () => {
  expect(files(["services", "services", "gateways"])[0]).toEqual([SERVICES_CRL_FILE, ["services", "services"]]);
});

test("a file that would have no lists is not written", () => {
  expect(files(["gateways", "operators"])).toEqual([[CRL_FILE, ["gateways", "operators"]]]);
});

test("nobody has the second file who has no listener for services", () => {
  expect(files(ALL, false)).toEqual([[CRL_FILE, ALL]]);
});
