import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { CompactSign } from "jose";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CertifiedKey } from "../../certs/issue.ts";
import { type Reply, refusal, TestBackend } from "./backend/in-process.ts";
import { type Authorities, leafOf, makeAuthorities } from "./pki/authorities.ts";

const newKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const pointOf = (key: KeyObject): string => createPublicKey(key).export({ format: "raw-public" }).toString("hex");
const [makerKey, otherKey, deviceKey, sensorKey] = [newKey(), newKey(), newKey(), newKey()];
const gateway = { hardware_id: "0123456789abcdef01", kind: "gateway", public_key: pointOf(deviceKey), model: "TK 100" };
const sensor = { hardware_id: "0123456789abcdef02", kind: "sensor", public_key: pointOf(sensorKey), model: "TK 7" };
const content = {
  schema: "trustkern.made-devices/1",
  maker: "northwind",
  issued_at: "2026-11-21T08:00:00.000Z",
  devices: [gateway, sensor],
};
let own: Authorities;
let backend: TestBackend;
let admin: CertifiedKey;

beforeAll(async () => {
  own = await makeAuthorities("acme");
  admin = await leafOf(own, "op-admin");
});
beforeEach(async () => {
  backend = new TestBackend(own);
  await backend.start();
  await put("/v1/makers/northwind", { public_key: pointOf(makerKey) });
  await put("/v1/makers/contoso", { public_key: pointOf(otherKey) });
  return () => backend.close();
});

const put = (path: string, body: unknown): Promise<Reply> => backend.call(admin, "PUT", path, { body });
const post = (path: string, body?: unknown): Promise<Reply> => backend.call(admin, "POST", path, { body });
const devices = async () => (await backend.call(admin, "GET", "/v1/device-records")).body;
function signed(changes: object = {}, key = makerKey): Promise<string> {
  const payload = Buffer.from(JSON.stringify({ ...content, ...changes }));
  return new CompactSign(payload).setProtectedHeader({ alg: "ES256" }).sign(key);
}
const importing = async (record: string | Promise<string>): Promise<Reply> =>
  post("/v1/device-records", { record: await record });

describe("a maker's record of made devices", () => {
  it("is taken, again without effect, and kept over a restart", async () => {
    const record = await signed();
    for (let i = 0; i < 2; i += 1)
      expect(await importing(record)).toMatchObject({ status: 200, body: { maker: "northwind", devices: 2 } });
    await backend.restart();
    expect(await devices()).toMatchObject([
      { ...gateway, maker: "northwind", source: "record", state: "made" },
      { ...sensor, state: "made" },
    ]);
  });

  const forged = { ...gateway, hardware_id: "ff".repeat(9) };
  it.each<[string, () => Promise<string>, number, string]>([
    ["signed by another maker", () => signed({}, otherKey), 403, "DEVICE_RECORD_SIGNATURE"],
    ["of another maker, in its own name", () => signed({ maker: "contoso" }), 403, "DEVICE_RECORD_SIGNATURE"],
    ["of a maker that nobody registered", () => signed({ maker: "eve" }, newKey()), 404, "MAKER_UNKNOWN"],
    [
      "with a device changed after signing",
      async () => swapped(await signed(), await signed({ devices: [forged] })),
      403,
      "DEVICE_RECORD_SIGNATURE",
    ],
    [
      "without a signature",
      async () => `${(await signed()).split(".").slice(0, 2).join(".")}.`,
      403,
      "DEVICE_RECORD_SIGNATURE",
    ],
    ["of algorithm none", async () => unsigned(await signed()), 403, "DEVICE_RECORD_SIGNATURE"],
    ["of another schema", () => signed({ schema: "trustkern.made-devices/2" }), 400, "DEVICE_RECORD_INVALID"],
    ["with no device", () => signed({ devices: [] }), 400, "DEVICE_RECORD_INVALID"],
    ["with a member too many", () => signed({ note: "hello" }), 400, "DEVICE_RECORD_INVALID"],
    [
      "with a key that is no point",
      () => signed({ devices: [{ ...gateway, public_key: `04${"11".repeat(64)}` }] }),
      400,
      "PROTOCOL_BAD_POINT",
    ],
    ["with one key for two devices", () => signed({ devices: [gateway, forged] }), 409, "DEVICE_RECORD_CONFLICT"],
    [
      "with one hardware id for two devices",
      () => signed({ devices: [gateway, { ...sensor, hardware_id: gateway.hardware_id }] }),
      409,
      "DEVICE_RECORD_CONFLICT",
    ],
    ["that is no JWS", async () => "hello", 400, "DEVICE_RECORD_INVALID"],
  ])("%s brings nothing in", async (_, make, status, code) => {
    expect(await importing(make())).toMatchObject(refusal(status, code));
    expect(await devices()).toEqual([]);
  });

  it("changes no device that is on record, and lets no maker take another's", async () => {
    await importing(signed());
    for (const changes of [{ model: "TK 200" }, { kind: "sensor" }, { public_key: pointOf(newKey()) }])
      expect(await importing(signed({ devices: [{ ...gateway, ...changes }] }))).toMatchObject(
        refusal(409, "DEVICE_RECORD_CONFLICT"),
      );
    expect(await importing(signed({ maker: "contoso" }, otherKey))).toMatchObject(
      refusal(409, "DEVICE_RECORD_CONFLICT"),
    );
    expect((await devices())[0]).toMatchObject({ ...gateway, maker: "northwind" });
  });

  it("of a revoked maker is refused, and so are its devices", async () => {
    await importing(signed());
    expect(await post("/v1/makers/northwind/revoke")).toMatchObject({ status: 200, body: { state: "revoked" } });
    expect((await devices()).map(({ state }: { state: string }) => state)).toEqual(["revoked", "revoked"]);
    const more = { ...gateway, hardware_id: "ff".repeat(9), public_key: pointOf(newKey()) };
    expect(await importing(signed({ devices: [more] }))).toMatchObject(refusal(409, "MAKER_REVOKED"));
    expect(await put("/v1/makers/northwind", { public_key: pointOf(newKey()) })).toMatchObject(
      refusal(409, "MAKER_REVOKED"),
    );
  });
});

describe("a maker", () => {
  it("is registered with the certificate of its authority, and no other's", async () => {
    const { certPem } = own.maker;
    expect(await put("/v1/makers/northwind", { certificate_pem: certPem })).toMatchObject({ status: 200 });
    const foreign = (await makeAuthorities("acme")).maker.certPem;
    for (const [name, body] of [
      ["contoso", { certificate_pem: certPem }],
      ["northwind", { certificate_pem: foreign }],
      ["northwind", { certificate_pem: own.issuers.gateways.certPem }],
      ["northwind", { certificate_pem: "x".repeat(80) }],
      ["northwind", { certificate_pem: certPem, public_key: pointOf(makerKey) }],
    ] as const)
      expect(await put(`/v1/makers/${name}`, body)).toMatchObject(refusal(400, "MAKER_KEY_INVALID"));
  });
});

describe("a name", () => {
  it("is given to one made gateway, for good", async () => {
    await importing(signed());
    const body = { hardware_id: gateway.hardware_id };
    expect(await put("/v1/gateways/gw-01", body)).toMatchObject({ status: 200, body: { name: "gw-01", ...body } });
    expect(await put("/v1/gateways/gw-02", body)).toMatchObject(refusal(409, "GATEWAY_CONFLICT"));
    expect(await put("/v1/gateways/gw-02", { hardware_id: sensor.hardware_id })).toMatchObject(
      refusal(400, "HARDWARE_NO_GATEWAY"),
    );
    expect(await put("/v1/gateways/gw-02", { hardware_id: "ff".repeat(9) })).toMatchObject(
      refusal(404, "HARDWARE_UNKNOWN"),
    );
    expect(await put("/v1/gateways/svc-broker", body)).toMatchObject(refusal(400, "HTTP_BODY_INVALID"));
  });

  it("ends with its device", async () => {
    await importing(signed());
    const body = { hardware_id: gateway.hardware_id };
    await put("/v1/gateways/gw-01", body);
    await post(`/v1/device-records/${gateway.hardware_id}/revoke`);
    expect(await put("/v1/gateways/gw-01", body)).toMatchObject(refusal(409, "HARDWARE_REVOKED"));
    expect(await post("/v1/gateways/gw-01/tokens")).toMatchObject(refusal(409, "GATEWAY_REVOKED"));
  });
});

/** The signature of one record under the content of another. */
function swapped(good: string, forged: string): string {
  return [...forged.split(".").slice(0, 2), good.split(".")[2]].join(".");
}

function unsigned(record: string): string {
  const header = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  return `${header}.${record.split(".")[1]}.`;
}
