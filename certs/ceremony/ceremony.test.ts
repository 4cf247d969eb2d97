import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { createMemorySigner } from "../signers/index.ts";
import { signJws } from "../signers/sign-jws.ts";
import type { Curve, KeySigner } from "../signers/signer.ts";
import { type Ceremony, type CeremonyRequest, holdCeremony } from "./ceremony.ts";
import { followUpTranscript } from "./follow-up.ts";
import { renderTranscript } from "./render-transcript.ts";
import { openTranscript, TRANSCRIPT_TYPE, transcriptDigest, verifyTranscript } from "./transcript.ts";

const now = new Date("2026-11-21T08:00:00Z");
const key = async (curve: Curve, where: string): Promise<KeySigner> => (await createMemorySigner(curve, where)).signer;
async function request(): Promise<CeremonyRequest> {
  const [services, gateways, operators, maker] = await Promise.all(
    ["services", "gateways", "operators", "maker"].map((each) => key("P-256", `test:${each}`)),
  );
  return {
    tenant: "acme",
    now,
    root: await key("P-384", "test:root"),
    issuing: { services, gateways, operators } as CeremonyRequest["issuing"],
    makers: { "north-instruments": maker as KeySigner },
    conductor: "the conductor",
    witnesses: ["somebody", "somebody else"],
    versions: { trustkern: "0.1.0", node: "26.10.0" },
  };
}

let asked: CeremonyRequest;
let made: Ceremony;
let rootPem: string;
beforeAll(async () => {
  asked = await request();
  made = await holdCeremony(asked);
  rootPem = made.root.certPem;
});

describe("a ceremony", () => {
  test("makes every authority, signed by the root, of the key that it was given", () => {
    const root = new X509Certificate(rootPem);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(root.publicKey.asymmetricKeyDetails?.namedCurve).toBe("secp384r1");
    const authorities = { ...made.issuing, "north-instruments": made.makers["north-instruments"] };
    const keys: Readonly<Record<string, KeySigner>> = { ...asked.issuing, ...asked.makers };
    for (const [name, authority] of Object.entries(authorities)) {
      const certificate = new X509Certificate(authority?.certPem ?? "");
      expect(certificate.verify(root.publicKey), name).toBe(true);
      const spki = certificate.publicKey.export({ format: "der", type: "spki" });
      expect(spki.equals(keys[name]?.publicKeySpki ?? Buffer.alloc(0)), name).toBe(true);
    }
  });

  test("leaves certificates and the transcript to write, and no private key", () => {
    const classes = ["services.crt", "gateways.crt", "operators.crt"];
    const paths = made.files.map(({ path }) => path);
    expect(paths).toEqual(["root.crt", ...classes, "makers/north-instruments.crt", "transcript.jws"]);
    expect(JSON.stringify(made.files)).not.toMatch(/PRIVATE|ENCRYPTED/);
    expect(made.files.at(-1)?.content.trim()).toBe(made.transcriptJws);
  });

  test("hands an event of each certificate to the security log", () => {
    expect(made.events.map(({ kind }) => kind)).toEqual(Array(5).fill("CERT_ISSUED"));
    expect(made.events.map(({ object }) => object)).toEqual(made.transcript.certificates.map(({ serial }) => serial));
  });

  test("prints who was there, where each key is, and every fingerprint", () => {
    const text = renderTranscript(made.transcript);
    expect(text).toContain("conducted by the conductor; witnessed by somebody, somebody else");
    for (const { sha256, spkiSha256, key: where } of made.transcript.certificates) {
      expect(text.replaceAll(" ", "")).toContain(sha256);
      expect(text.replaceAll(" ", "")).toContain(spkiSha256);
      expect(text).toContain(where);
    }
    expect(renderTranscript({ ...made.transcript, witnesses: [] })).toContain("witnessed by nobody");
  });

  test("takes a root on P-256 only where that is accepted", async () => {
    const short = { ...asked, root: await key("P-256", "test:tpm") };
    await expect(holdCeremony(short)).rejects.toMatchObject({ code: "CEREMONY_CURVE", path: "root", exit: 5 });
    const { root, transcriptJws } = await holdCeremony({ ...short, acceptP256Root: true });
    expect(await verifyTranscript({ jws: transcriptJws, rootPem: root.certPem })).toEqual([]);
  });

  test.each<[string, (request: CeremonyRequest) => Promise<Partial<CeremonyRequest>>, string]>([
    [
      "one key for two classes",
      async ({ issuing }) => ({ issuing: { ...issuing, operators: issuing.gateways } }),
      "CEREMONY_KEY_REUSED",
    ],
    [
      "a class's key for a maker",
      async ({ issuing }) => ({ makers: { other: issuing.services } }),
      "CEREMONY_KEY_REUSED",
    ],
    [
      "the root's key for a class",
      async ({ issuing }) => {
        const root = await key("P-256", "test:both");
        return { root, issuing: { ...issuing, services: root }, acceptP256Root: true };
      },
      "CEREMONY_KEY_REUSED",
    ],
    [
      "an issuing key on P-384",
      async ({ issuing, root }) => ({ issuing: { ...issuing, services: root } }),
      "CEREMONY_CURVE",
    ],
    ["nobody who conducts it", async () => ({ conductor: "" }), "CEREMONY_NAME_INVALID"],
    ["a name of several lines", async () => ({ conductor: "Ada\nwitnessed by everybody" }), "CEREMONY_NAME_INVALID"],
    ["a name that rewrites the terminal", async () => ({ witnesses: ["\u001b[2J"] }), "CEREMONY_NAME_INVALID"],
    ["a name in another direction", async () => ({ witnesses: ["\u202eadA"] }), "CEREMONY_NAME_INVALID"],
    ["a name of 101 characters", async () => ({ witnesses: ["a".repeat(101)] }), "CEREMONY_NAME_INVALID"],
    ["a conductor who is the witness", async () => ({ witnesses: ["the conductor"] }), "CEREMONY_NAME_INVALID"],
    ["a tenant that is no label", async () => ({ tenant: "Acme Inc" }), "CERT_NAME_INVALID"],
    [
      "a maker that is no label",
      async () => ({ makers: { "North Ltd": await key("P-256", "x") } }),
      "CERT_NAME_INVALID",
    ],
  ])("is not held with %s", async (_, change, code) => {
    await expect(holdCeremony({ ...asked, ...(await change(asked)) })).rejects.toMatchObject({ code });
  });
});

describe("a transcript", () => {
  const certificates = () =>
    Object.fromEntries(Object.entries(made.issuing).map(([name, { certPem }]) => [name, certPem]));
  const check = (changed: object) => verifyTranscript({ jws: made.transcriptJws, rootPem, ...changed });
  const parts = () => made.transcriptJws.split(".") as [string, string, string];
  const payload = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

  test("verifies with the root that signed it, and with the certificates of the ceremony", async () => {
    expect(await check({ certificates: certificates() })).toEqual([]);
    expect(await openTranscript(made.transcriptJws, rootPem)).toEqual(made.transcript);
  });

  test.each([
    ["another witness", () => [parts()[0], payload({ ...made.transcript, witnesses: [] }), parts()[2]].join(".")],
    ["no signature", () => `${parts()[0]}.${parts()[1]}.`],
    ["the algorithm none", () => `${payload({ alg: "none", typ: TRANSCRIPT_TYPE })}.${parts()[1]}.`],
    ["half of it", () => made.transcriptJws.slice(0, made.transcriptJws.length / 2)],
    ["nothing", () => ""],
  ])("does not verify with %s", async (_, jws) => {
    expect(await check({ jws: jws() })).toMatchObject([{ code: "TRANSCRIPT_INVALID", path: "transcript" }]);
  });

  test("is not a statement of another kind that the root signed", async () => {
    const bytes = Buffer.from(JSON.stringify(made.transcript));
    const other = await signJws(asked.root, { typ: "JWT" }, bytes);
    expect(await check({ jws: other })).toMatchObject([{ path: "transcript" }]);
    const shape = await signJws(asked.root, { typ: TRANSCRIPT_TYPE }, Buffer.from('{"schema":"trustkern.ceremony/1"}'));
    expect(await check({ jws: shape })).toMatchObject([{ path: "transcript" }]);
  });

  test("is not that of another root, or of another certificate of the same root key", async () => {
    const other = await holdCeremony(await request());
    expect(await check({ rootPem: other.root.certPem })).toMatchObject([{ path: "transcript" }]);
    const again = await holdCeremony({ ...asked, now: new Date(now.getTime() + 1000) });
    expect(await check({ rootPem: again.root.certPem })).toMatchObject([{ path: "certificates.root" }]);
  });

  test("says which namespace the authority of services may name, and is not believed where it says another", async () => {
    expect(made.transcript.certificates.some((each) => "namespace" in each)).toBe(false);
    expect(renderTranscript(made.transcript)).not.toContain("may name");
    const held = await holdCeremony({ ...asked, namespace: "tk-plant" });
    const named = held.transcript.certificates.filter((each) => each.namespace !== undefined);
    expect(named).toMatchObject([{ authority: "services", namespace: "tk-plant" }]);
    expect(renderTranscript(held.transcript)).toContain("the Services of namespace tk-plant too");
    const of = { rootPem: held.root.certPem, certificates: certificatesOf(held) };
    expect(await verifyTranscript({ ...of, jws: held.transcriptJws })).toEqual([]);
    for (const namespace of ["tk-other", undefined]) {
      const certificates = held.transcript.certificates.map((each) => {
        const { namespace: _, ...rest } = each;
        return each.authority !== "services" ? each : namespace === undefined ? rest : { ...rest, namespace };
      });
      const lying = Buffer.from(JSON.stringify({ ...held.transcript, certificates }));
      const jws = await signJws(asked.root, { typ: TRANSCRIPT_TYPE }, lying);
      expect(await verifyTranscript({ ...of, jws })).toMatchObject([{ path: "certificates.services" }]);
    }
  });

  test("is not held for a namespace that is the cluster's own", async () => {
    await expect(holdCeremony({ ...asked, namespace: "default" })).rejects.toMatchObject({ code: "CERT_NAME_INVALID" });
  });

  test("names a certificate that is not that of the ceremony, and an authority that it did not make", async () => {
    const other = await holdCeremony(await request());
    const swapped = { ...certificates(), gateways: other.issuing.gateways.certPem };
    expect(await check({ certificates: swapped })).toMatchObject([{ path: "certificates.gateways" }]);
    const more = { "maker-other": other.issuing.gateways.certPem };
    expect(await check({ certificates: more })).toMatchObject([{ path: "certificates.maker-other" }]);
  });
});

describe("a ceremony after the first", () => {
  const inUse = () =>
    Object.entries({ root: rootPem, ...certificatesOf(made) }).map(([id, certPem]) => ({
      id,
      certPem,
      key: `at:${id}`,
    }));
  const ask = (changed: object = {}) =>
    followUpTranscript({
      ...{ tenant: "acme", now, root: asked.root, versions: {}, conductor: "Ada", witnesses: ["Grace"] },
      ...{ authorities: inUse(), made: ["services"], before: made.transcriptJws },
      ...changed,
    });

  test("has a transcript about every authority in use, of which some were made, and names the one before", async () => {
    const jws = await ask();
    expect(await verifyTranscript({ jws, rootPem, certificates: certificatesOf(made) })).toEqual([]);
    const transcript = await openTranscript(jws, rootPem);
    expect(transcript).toMatchObject({ made: ["services"], follows: transcriptDigest(made.transcriptJws) });
    const text = renderTranscript(transcript);
    expect(text).toContain("keys made: services; the others are taken over as they were");
    expect(text.replaceAll(" ", "")).toContain(transcriptDigest(made.transcriptJws));
    expect(renderTranscript(made.transcript)).not.toMatch(/taken over|follows/);
  });

  test.each([
    ["nobody who conducts it", { conductor: "" }],
    ["its conductor as a witness", { witnesses: ["Ada"] }],
    ["a witness of two lines", { witnesses: ["Grace\nJoan"] }],
  ])("is not held with %s", async (_, changed) => {
    await expect(ask(changed)).rejects.toMatchObject({ code: "CEREMONY_NAME_INVALID" });
  });

  test("is not believed when another root signed its transcript, or when it leaves an authority out", async () => {
    const other = await ask({ root: await key("P-384", "test:other") });
    expect(await verifyTranscript({ jws: other, rootPem })).toMatchObject([{ path: "transcript" }]);
    const some = await ask({ authorities: inUse().filter(({ id }) => id !== "gateways") });
    const certificates = certificatesOf(made);
    expect(await verifyTranscript({ jws: some, rootPem, certificates })).toMatchObject([
      { path: "certificates.gateways" },
    ]);
  });
});

function certificatesOf({ issuing }: Ceremony): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(issuing).map(([name, { certPem }]) => [name, certPem]));
}
