import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchCrl, revokeCertificate, signCsr } from "../../../certs/step-ca/client.ts";
import { ONLINE_CLASSES } from "../../../certs/step-ca/names.ts";
import { decimalSerial, jwkToken } from "../../../certs/step-ca/tokens.ts";
import { openOperatorsKey } from "../../../stacks/host/operators-key.ts";
import { StepCaHarness } from "../step-ca/harness.ts";
import { backendToken, device, enrol, requestFor } from "../step-ca/requests.ts";
import { documentsOf } from "./documents.ts";
import { findings } from "./findings.ts";
import { forgeCrl } from "./forge-crl.ts";
import { refused } from "./strict.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const ca = new StepCaHarness();
beforeAll(() => ca.start(), 600_000);
afterAll(() => ca.stop());

/** What an operator gets for an hour. */
async function operator(): Promise<string> {
  const { csrPem } = await requestFor("op-admin");
  const { authoritiesDir } = ca;
  const keyPem = await openOperatorsKey({ authoritiesDir, passphrase: () => "correct horse battery staple" });
  const { servername } = ca.endpoint("operators");
  const asked = { provisioner: "operators", keyPem, servername, use: "sign", subject: "op-admin", csrPem } as const;
  return signCsr(ca.endpoint("operators"), { token: await jwkToken({ ...asked, now: new Date() }), csrPem });
}

/** The certificate that an authority's own server shows, which the authority made for it. */
async function server(leafClass: (typeof ONLINE_CLASSES)[number]): Promise<string> {
  const { host, port, servername, rootPem } = ca.endpoint(leafClass);
  const socket = connect({ host, port, servername, ca: rootPem });
  await once(socket, "secureConnect");
  const pem = socket.getPeerX509Certificate()?.toString() ?? "";
  socket.destroy();
  return pem;
}

/** The lists of those that step-ca does not hold the keys of. */
const others = () => Promise.all(["root", "services", "sensirio"].map((name) => forgeCrl(ca.authority(name))));

const documents = (...texts: readonly string[]) => documentsOf(texts.map((text, n) => ({ name: `${n}`, text })));

describe("pkilint and openssl's strict rules", () => {
  test("take all leaves that real step-ca issues, and its lists before and after a revocation", async () => {
    const before = await Promise.all(ONLINE_CLASSES.map((each) => fetchCrl(ca.endpoint(each))));
    expect(await findings(documents(...before))).toEqual([]);
    const [kept, revoked] = [await enrol(ca), await enrol(ca)];
    const serial = new X509Certificate(revoked.certPem).serialNumber;
    const token = await backendToken(ca, "revoke", decimalSerial(serial));
    await revokeCertificate(ca.endpoint("gateways"), { token, serial, reason: "keyCompromise" });
    const lists = [await fetchCrl(ca.endpoint("gateways")), before[1] ?? "", ...(await others())];
    const made = (await device(ca.authority("sensirio"))).certPem + ca.authority("sensirio").certPem;
    const all = documents(
      ca.rootPem,
      kept.certPem,
      await operator(),
      made,
      (await ca.service("backend")).certPem,
      ...lists,
    );
    expect(all.certificates).toHaveLength(9);
    expect(await findings(all)).toEqual([]);
    expect(await refused(all)).toEqual([]);
    const { certificates } = documents(ca.rootPem, kept.certPem, revoked.certPem);
    const said = await refused({ certificates, crls: all.crls });
    expect(said).toEqual([expect.stringMatching(/^2: [\s\S]*certificate revoked/)]);
  });

  test("take the certificates of step-ca's own servers, which live for a day and are in no list's scope", async () => {
    const servers = await Promise.all(ONLINE_CLASSES.map(server));
    const authorities = ONLINE_CLASSES.map((each) => ca.authority(each).certPem);
    const { certificates } = documents(ca.rootPem, ...authorities, ...servers);
    expect(await findings({ certificates, crls: [] })).toEqual([]);
    expect(await refused({ certificates, crls: [] })).toEqual([]);
    for (const pem of servers) {
      const { validFromDate, validToDate } = new X509Certificate(pem);
      expect(validToDate.getTime() - validFromDate.getTime()).toBeLessThanOrEqual(DAY_MS + MINUTE_MS);
    }
    const crls = [
      ...(await Promise.all(ONLINE_CLASSES.map((each) => fetchCrl(ca.endpoint(each))))),
      ...(await others()),
    ];
    const said = await refused({ certificates, crls: documents(...crls).crls });
    expect(said.map((each) => /lookup: (.*)/.exec(each)?.[1])).toEqual(servers.map(() => "different CRL scope"));
  });
});
