import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { ageKeyWrap } from "../../../custody/backends/wrapped/age-wrap.ts";
import { readKey } from "../../../custody/backends/wrapped/key-folder.ts";
import { readSealedFile } from "../../../custody/backends/wrapped/sealed-file.ts";
import type { Canary, Core } from "../../../operations/verify/search/needles.ts";
import type { Layout } from "../../../stacks/host/layout.ts";
import { openOperatorsKey } from "../../../stacks/host/operators-key.ts";

/** Certificates, public keys, pins, revocation lists, the ledger, and step-ca's configuration. */
const PUBLIC = /\.(crt|pub|pins)$|^ca\.json$|^ledger\.|^crl\.pem$/;
/** Revocation lists, and which certificate a gateway's token is for. */
const PUBLIC_FOLDERS = ["crls", "tokens"];
const ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const PLAIN = "-----BEGIN PRIVATE KEY-----";
/** Characters of a line of PEM (RFC 7468, section 2), and the bytes in them. */
const LINE = { characters: 64, bytes: 48 } as const;
/** Bytes of a private number in a line of PEM from which on the line gives it away. */
const TELLING_BYTES = 8;

/**
 * Every secret of a deployment that ran: what its secret store and its authorities hold, the root's key, custody's
 * decryption keys and the simulated sensors' keys. A value that several components share is one canary.
 */
export async function readCanaries(layout: Layout): Promise<readonly Canary[]> {
  const passphrase = readFileSync(join(layout.secretsDir, "authorities", "passphrase"), "utf8");
  const found: Canary[] = [];
  for (const path of filesBelow(layout.secretsDir, layout.authoritiesDir)) {
    const name = nameOf(layout, path);
    if (PUBLIC.test(basename(path)) || PUBLIC_FOLDERS.includes(basename(dirname(path)))) continue;
    if (path.endsWith(".jwe")) {
      const keyPem = await openOperatorsKey({ authoritiesDir: layout.authoritiesDir, passphrase: () => passphrase });
      found.push({ name, cores: keyCores(keyPem), homes: [] });
    } else if (path.endsWith(".age"))
      found.push({ name, cores: keyCores(await unsealed(path, passphrase)), homes: [] });
    else
      found.push({ name, cores: coresOf(readFileSync(path, "utf8")), homes: [name], givenTo: givenTo(layout, path) });
  }
  return merged([...found, ...(await decryptionKeys(layout)), ...deviceKeys(layout)]);
}

/**
 * Every sensor that is provisioned gets the Thread network key, and the simulated ones keep what they got. Mosquitto reads a copy
 * of the broker's key, in memory.
 */
function givenTo(layout: Layout, path: string): readonly string[] {
  if (path === join(layout.secretsDir, "broker", "tls.key")) return ["scratch of broker: /run/broker/tls.key"];
  if (path !== join(layout.secretsDir, "backend", "network.key")) return [];
  const sensors = join(layout.volumesDir, "simulator", "state", "sensors.db");
  return [sensors, `${sensors}-wal`].map((file) => nameOf(layout, file));
}

/** The private keys of custody, and of its signer, which are nowhere in the clear but in its memory. */
async function decryptionKeys(layout: Layout): Promise<readonly Canary[]> {
  const passphrase = readFileSync(join(layout.secretsDir, "custody", "passphrase"), "utf8");
  const folder = join(layout.volumesDir, "custody", "keys");
  const identity = await unsealed(join(folder, "identity.age"), passphrase);
  const wrap = await ageKeyWrap(identity.trim());
  if (wrap === null) throw new Error("custody's identity is none");
  const own: Canary = {
    name: nameOf(layout, join(folder, "identity.age")),
    cores: textCores(identity.trim()),
    homes: [],
  };
  const files = readdirSync(folder).filter((file) => file.endsWith(".key"));
  const keys = files.map(async (file): Promise<Canary> => {
    const bytes = await readKey({ folder, wrap }, basename(file, ".key"));
    return { name: nameOf(layout, join(folder, file)), cores: [{ what: "key", bytes }], homes: [] };
  });
  return [own, ...(await Promise.all(keys))];
}

function deviceKeys(layout: Layout): readonly Canary[] {
  return filesBelow(join(layout.volumesDir, "simulator", "state", "secure-elements")).map((path) => {
    const name = nameOf(layout, path);
    return { name, cores: keyCores(JSON.parse(readFileSync(path, "utf8")).key), homes: [name] };
  });
}

/** Path of a file in the folder of `trustkern.yaml`. */
function nameOf({ dir }: Layout, path: string): string {
  return relative(dirname(dir), path);
}

function coresOf(content: string): readonly Core[] {
  if (content.startsWith(PLAIN)) return keyCores(content);
  if (content.startsWith(ENCRYPTED)) return pemLines(content).filter(({ bytes }) => bytes.length === LINE.characters);
  return textCores(content.trim());
}

/** A password or a symmetric key: its characters, and the bytes that they stand for. */
export function textCores(text: string): readonly Core[] {
  const decoded = Buffer.from(text, /^[0-9a-f]+$/.test(text) ? "hex" : "base64url");
  return [
    { what: "text", bytes: Buffer.from(text) },
    { what: "decoded text", bytes: decoded },
  ];
}

/** A private key: its private number, and the lines of its PEM that hold a part of it. The rest of the PEM is public. */
export function keyCores(pem: string): readonly Core[] {
  const key = createPrivateKey(pem);
  const secret = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
  const from = key.export({ format: "der", type: "pkcs8" }).indexOf(secret);
  const telling = pemLines(pem).filter((_, index) => {
    const start = index * LINE.bytes;
    const shared = Math.min(from + secret.length, start + LINE.bytes) - Math.max(from, start);
    return shared >= TELLING_BYTES;
  });
  return [{ what: "key", bytes: secret }, ...telling];
}

function pemLines(pem: string): readonly Core[] {
  return pem
    .trim()
    .split("\n")
    .slice(1, -1)
    .map((line) => ({ what: "PEM line", bytes: Buffer.from(line) }));
}

function merged(canaries: readonly Canary[]): readonly Canary[] {
  const byValue = Map.groupBy(canaries, ({ cores }) => cores[0]?.bytes.toString("hex"));
  return [...byValue.values()].map((same) => ({
    name: same.map(({ name }) => name).join(" = "),
    cores: same[0]?.cores ?? [],
    homes: same.flatMap(({ homes }) => homes),
    givenTo: same.flatMap(({ givenTo = [] }) => givenTo),
  }));
}

async function unsealed(path: string, passphrase: string): Promise<string> {
  const bytes = await readSealedFile({ path, passphrase, workFactor: 0 });
  if (bytes === null) throw new Error(`there is no ${path}`);
  return Buffer.from(bytes).toString("utf8");
}

/** Paths of all files below folders; what is linked to is not followed. */
export function filesBelow(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
}
