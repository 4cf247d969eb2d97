import { beforeAll, describe, expect, it } from "vitest";
import type { Authority } from "../../../certs/authority.ts";
import { issueIntermediate } from "../../../certs/classes/intermediate.ts";
import { issueRoot } from "../../../certs/classes/root.ts";
import { issueCrl } from "../../../certs/crl.ts";
import { fakeMachine } from "../fake-machine.ts";
import { gatherLists, judgeLists } from "./revocation-lists.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MADE = new Date("2026-01-01T00:00:00Z");
const CRLS = "/s/authorities/crls";
const ROOT_KEY = "/s/authorities/root.key.age";
let root: Authority;
let services: Authority;
let rootList: string;
let servicesList: string;

const listOf = async (authority: Authority, days: number, number = 1n): Promise<string> => {
  const { pem } = await issueCrl(authority, { number, revoked: [], now: MADE, lifetimeSeconds: days * 86_400 });
  return pem;
};

beforeAll(async () => {
  ({ authority: root } = await issueRoot({ tenant: "acme", now: MADE }));
  ({ authority: services } = await issueIntermediate(root, { leafClass: "services", now: MADE }));
  rootList = await listOf(root, 180);
  servicesList = await listOf(services, 7);
});

const findingsAt = (files: Readonly<Record<string, string>>, milliseconds: number) =>
  judgeLists(gatherLists(fakeMachine({ files }), "/s"), new Date(MADE.getTime() + milliseconds));
const saidAt = (files: Readonly<Record<string, string>>, milliseconds: number) =>
  findingsAt(files, milliseconds).map(({ level, code = "" }) => `${level} ${code}`.trim());
const ofServices = () => ({ [`${CRLS}/services.pem`]: servicesList });
const ofRoot = (more: object = {}) => ({ [`${CRLS}/root.pem`]: rootList, "/s/authorities/root.crt": "", ...more });

describe("a class's list", () => {
  it.each([
    [7 * DAY - 97 * HOUR, "ok"],
    [7 * DAY - 95 * HOUR, "warning DOCTOR_LIST_ENDING"],
    [7 * DAY - 73 * HOUR, "warning DOCTOR_LIST_ENDING"],
    [7 * DAY - 71 * HOUR, "problem DOCTOR_LIST_ENDING"],
    [8 * DAY, "problem DOCTOR_LIST_ENDING"],
  ])("after %d ms is: %s", (milliseconds, said) => {
    expect(saidAt(ofServices(), milliseconds)).toEqual([said]);
  });

  it("is named with its issuer, its file and the command that mends it", () => {
    const [finding] = findingsAt(ofServices(), 5 * DAY);
    expect(finding?.message).toContain("TrustKern services");
    expect(finding?.message).toContain("authorities/crls/services.pem");
    expect(finding?.fix).toContain("trustkern certs crl --publish");
  });

  it("is looked at where a maker's is too", () => {
    const files = { [`${CRLS}/makers/acme.pem`]: servicesList };
    expect(saidAt(files, 6 * DAY)).toEqual(["problem DOCTOR_LIST_ENDING"]);
  });

  it("of a predecessor, and the first one of a class that step-ca serves, may end", async () => {
    const files = {
      [`${CRLS}/services.old.pem`]: servicesList,
      [`${CRLS}/gateways.pem`]: await listOf(services, 7, 0n),
    };
    expect(saidAt(files, 9 * DAY)).toEqual(["ok"]);
  });

  it.each(["", "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", "words"])("is a problem as %j", (text) => {
    expect(saidAt({ [`${CRLS}/services.pem`]: text }, 0)).toEqual(["problem DOCTOR_LIST_UNREADABLE"]);
  });

  it("does not hide another's end", () => {
    const files = { ...ofServices(), [`${CRLS}/operators.pem`]: "" };
    expect(saidAt(files, 6 * DAY)).toEqual(["problem DOCTOR_LIST_UNREADABLE", "problem DOCTOR_LIST_ENDING"]);
  });
});

describe("the root's list", () => {
  it("wants a root's key that is elsewhere from 30 days before it is needed", () => {
    expect(saidAt(ofRoot(), 119 * DAY)).toEqual(["ok"]);
    expect(saidAt(ofRoot(), 121 * DAY)).toEqual(["warning DOCTOR_ROOT_KEY_NEEDED"]);
    expect(saidAt(ofRoot(), 151 * DAY)).toEqual(["warning DOCTOR_ROOT_KEY_NEEDED"]);
    const [finding] = findingsAt(ofRoot(), 121 * DAY);
    expect(finding?.message).toContain("needed in 29 d");
    expect(finding?.fix).toMatch(/attach the root's key.*certs crl --publish/);
  });

  it("wants nobody where the key is on this host", () => {
    expect(saidAt(ofRoot({ [ROOT_KEY]: "" }), 151 * DAY)).toEqual(["ok"]);
  });

  it("is a problem at the end, wherever the key is, and says to attach it", () => {
    expect(saidAt(ofRoot({ [ROOT_KEY]: "" }), 179 * DAY)).toEqual(["problem DOCTOR_LIST_ENDING"]);
    expect(saidAt(ofRoot(), 179 * DAY)).toEqual(["problem DOCTOR_LIST_ENDING"]);
    expect(findingsAt(ofRoot(), 179 * DAY)[0]?.fix).toContain("attach the root's key");
    expect(findingsAt(ofRoot({ [ROOT_KEY]: "" }), 179 * DAY)[0]?.fix).not.toContain("attach");
  });

  it("of a successor wants the successor's key, and not the root's", () => {
    const files = { [`${CRLS}/root.next.pem`]: rootList, [ROOT_KEY]: "", "/s/authorities/root.next.key.json": "{}" };
    expect(saidAt(files, 121 * DAY)).toEqual(["warning DOCTOR_ROOT_KEY_NEEDED"]);
  });
});

it("says nothing where there is no list yet", () => {
  expect(saidAt({}, 0)).toEqual([]);
});
