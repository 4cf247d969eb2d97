import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeEnvelope } from "../../protocol/envelope.ts";
import { parseVectors } from "../../protocol/vectors-file.ts";
import type { Up } from "../../stacks/embedded/up.ts";
import { PROJECT, scratch, upOptions, upProven } from "../support/deployment.ts";
import { type Ended, runProgram } from "../support/run.ts";

const FILE = join(PROJECT, "test/fixtures/envelope-v1.json");
const vectors = parseVectors(readFileSync(FILE, "utf8"));
const sensor = vectors.allowlist[0]?.sensor_id ?? "";
const { dir, remove } = scratch("fixture");
let run: Up;

beforeAll(async () => {
  run = await upProven(upOptions(dir, { fixture: { file: FILE, text: readFileSync(FILE, "utf8") } }));
});
afterAll(async () => {
  await run.stop();
  remove();
});

function envelope(name: string): Buffer {
  const found = vectors.single.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the vectors have no case "${name}"`);
  return Buffer.from(found.envelope, "hex");
}

/** Arguments of mosquitto_pub; with a certificate unless `bare`. */
function publish(topic: string, bytes: Uint8Array, bare = false): Promise<Ended> {
  const { placement } = run.deployed;
  const { host, port } = placement.endpoint("broker", "mqtts");
  const own = (name: string): string => placement.secretFile("gw-01", name);
  const certificate = bare ? [] : ["--cert", own("tls.crt"), "--key", own("tls.key")];
  const where = ["-h", host, "-p", String(port), "--cafile", own("ca.crt"), ...certificate];
  return runProgram("mosquitto_pub", [...where, "-q", "1", "-s", "-t", topic], { input: bytes, timeoutSeconds: 10 });
}

async function psql(sql: string): Promise<string> {
  const { placement } = run.deployed;
  const { host, port } = placement.endpoint("database", "postgres");
  const password = readFileSync(placement.secretFile("database", "reader.password"), "utf8");
  const ended = await runProgram(
    "psql",
    ["-h", host, "-p", String(port), "-U", "reader", "-At", "-c", sql, "trustkern"],
    {
      env: { PGPASSWORD: password },
    },
  );
  expect(ended.stderr).toBe("");
  return ended.stdout.trim();
}

/** Rows and quarantined envelopes of these bytes. */
async function known(bytes: Uint8Array): Promise<string> {
  const digest = `'\\x${Buffer.from(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).toString("hex")}'::bytea`;
  return psql(
    `SELECT (SELECT count(*) FROM envelope_seen WHERE digest = ${digest}) || ' ' || (SELECT count(*) FROM quarantine WHERE sha256(bytes) = ${digest})`,
  );
}

describe("a real mosquitto_pub and psql beside a deployment with the vectors' allowlist and key", () => {
  it("brings valid 1 of a gateway to its row", async () => {
    const { code, stderr } = await publish(`tk/v1/gw-01/up/${sensor}`, envelope("valid 1"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    let row = "";
    for (let waited = 0; row === "" && waited < 10_000; waited += 100) {
      await sleep(100);
      row = await psql(
        `SELECT boot_id, seq, gateway, late, temperature_c, payload->>'fw' FROM telemetry WHERE sensor_id = '\\x${sensor}'`,
      );
    }
    const decoded = decodeEnvelope(envelope("valid 1"));
    if (!decoded.ok) throw new Error("valid 1 is malformed");
    expect(row).toBe(`${decoded.envelope.bootId}|${decoded.envelope.seq}|gw-01|f|21.4|0.2.1`);
  });

  it("keeps what comes without a client certificate away from the collector", async () => {
    const bytes = envelope("valid 2");
    const { code } = await publish(`tk/v1/gw-01/up/${sensor}`, bytes, true);
    expect(code).not.toBe(0);
    await sleep(1_000);
    expect(await known(bytes)).toBe("0 0");
  });

  it("keeps what is published to another gateway's topic away from the collector", async () => {
    const bytes = envelope("valid 2");
    await publish(`tk/v1/gw-02/up/${sensor}`, bytes);
    await publish(`tk/v1/gw-rogue/up/${sensor}`, bytes);
    await sleep(1_000);
    expect(await known(bytes)).toBe("0 0");
  });

  it("refuses TLS 1.2 and takes TLS 1.3, seen by openssl", async () => {
    const { placement } = run.deployed;
    const { host, port, servername } = placement.endpoint("broker", "mqtts");
    const own = (name: string): string => placement.secretFile("gw-01", name);
    const connect = (version: string): Promise<Ended> =>
      runProgram(
        "openssl",
        [
          "s_client",
          version,
          "-connect",
          `${host}:${port}`,
          "-servername",
          servername,
          "-verify_return_error",
          "-verify_hostname",
          servername,
          "-CAfile",
          own("ca.crt"),
          "-cert",
          own("tls.crt"),
          "-key",
          own("tls.key"),
        ],
        { input: "" },
      );
    const old = await connect("-tls1_2");
    expect(old.code).not.toBe(0);
    expect(old.stderr).toMatch(/protocol version/);
    const current = await connect("-tls1_3");
    expect(current.stdout).toMatch(/Verification: OK/);
  });
});
