import { layoutOf, renderHeader, renderSums } from "../../../operations/bundle/format/layout.ts";
import type { Manifest } from "../../../operations/bundle/format/manifest.ts";
import { stableJson } from "../../../shared/stable-json.ts";
import type { Draw } from "../weakenings/draw.ts";
import type { Material, Mutate } from "./operators.ts";

const BLOCK = 512;
const SLOT = 65_536;
/** Type flags of POSIX ustar, pax and GNU: links, devices, folders, pipes, extended headers, long names, sparse files, volumes. */
const TYPES = ["\0", "1", "2", "3", "4", "5", "6", "7", "x", "g", "K", "L", "S", "M", "V", "D", "N"];
const NAMES = [
  "../start.sh",
  "/etc/cron.d/evil",
  "a/../../evil",
  "./start.sh",
  "START.SH",
  "ſtart.sh",
  "start.sh/",
  "start.sh\0x",
  "segments/0001.zst",
  "..",
  "",
  "C:\\evil",
  "start.sh\n",
  "\u202ehs.trats",
  "start.sh ",
];

/** Mutations by somebody who knows the form: checksums are right, JSON is valid, sizes and sums agree. */
export const FORGERIES: Readonly<Record<string, Mutate>> = {
  "another type of entry": ({ good, boundaries }, draw) =>
    header(good, draw.pick(boundaries.slice(0, -1)), (bytes) => {
      bytes.write(draw.pick(TYPES), 156, "latin1");
      if (draw.below(2) === 0) bytes.write("../../../etc/passwd", 157);
    }),
  "another name": ({ good, boundaries }, draw) =>
    header(good, draw.pick(boundaries.slice(0, -1)), (bytes) => {
      bytes.fill(0, 0, 100);
      bytes.write(draw.pick(NAMES), 0);
    }),
  "another size": ({ good, boundaries }, draw) =>
    header(good, draw.pick(boundaries.slice(0, -1)), (bytes) => {
      bytes.write(draw.below(0o7_777_777).toString(8).padStart(11, "0"), 124);
    }),
  "another owner, mode or time": ({ good, boundaries }, draw) =>
    header(good, draw.pick(boundaries.slice(0, -1)), (bytes) => {
      bytes.write(draw.below(0o777_777).toString(8).padStart(6, "0"), draw.pick([100, 108, 116, 141, 329]));
    }),
  "an entry more": async ({ good, boundaries }, draw) => {
    const entry = { path: draw.pick(["evil.sh", "start.sh", "segments/0003.zst"]), bytes: 0, executable: true };
    const at = draw.pick(boundaries);
    return Buffer.concat([good.subarray(0, at), await renderHeader(entry), good.subarray(at)]);
  },
  "another manifest": (material, draw) => edited(material, draw, (value) => editJson(value, draw)),
  "another manifest, well formed": (material, draw) => edited(material, draw, (value) => editManifest(value, draw)),
  "other signatures, well formed": ({ good }, draw) => {
    const slot = JSON.parse(good.toString("utf8", BLOCK, BLOCK + SLOT));
    const json = Buffer.from(stableJson(editJson(slot, draw)));
    const bytes = Buffer.from(good).fill(" ", BLOCK, BLOCK + SLOT - 1);
    json.copy(bytes, BLOCK, 0, SLOT - 1);
    return bytes;
  },
  "JSON in another way": ({ good }, draw) => {
    const end = good.indexOf(" ", BLOCK);
    const text = good.toString("utf8", BLOCK, end);
    const colon = draw.pick([...text.matchAll(/[{}[\],:]/g)].map(({ index }) => index + 1));
    const more = draw.pick([" ", "\t", "\n"]);
    return Buffer.concat([
      ...[good.subarray(0, BLOCK), Buffer.from(text.slice(0, colon) + more + text.slice(colon))],
      good.subarray(end + 1),
    ]);
  },
};

/** Changes a header, and gives it the checksum that it then has to have. */
function header(good: Buffer, at: number, change: (header: Buffer) => void): Buffer {
  const bytes = Buffer.from(good);
  const own = bytes.subarray(at, at + BLOCK);
  change(own);
  own.fill(" ", 148, 156);
  const sum = own.reduce((all, byte) => all + byte, 0);
  own.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  own.write(`${sum.toString(8).padStart(6, "0")} \0`, 148, "latin1");
  return bytes;
}

/** The manifest of a good bundle. */
export function manifestIn({ good, boundaries }: Material): Manifest {
  const [, from = 0, sumsAt = 0] = boundaries;
  return JSON.parse(good.toString("utf8", from + BLOCK, sumsAt).replace(/\n\0*$/, ""));
}

function edited(material: Material, draw: Draw, change: (manifest: unknown) => unknown): Promise<Buffer> {
  const isCut = draw.below(4) === 0;
  return archiveWith(material, change(manifestIn(material)), isCut);
}

/**
 * The archive with another manifest, everything that follows from it made anew.
 * @param isCut whether nothing stands behind it. @default what stood there
 */
export async function archiveWith({ good, boundaries }: Material, manifest: unknown, isCut = false): Promise<Buffer> {
  const [, from = 0, sumsAt = 0, restAt = 0] = boundaries;
  const json = Buffer.from(`${stableJson(manifest)}\n`);
  const sums = sumsOf(manifest) ?? good.subarray(sumsAt + BLOCK, restAt);
  const rest = isCut ? Buffer.alloc(0) : good.subarray(restAt);
  return Buffer.concat([
    good.subarray(0, from),
    ...(await entry("manifest.json", json)),
    ...(await entry("SHA256SUMS", sums)),
    rest,
  ]);
}

/** Checksums as the manifest asks for them; undefined where it asks for none that can be. */
export function sumsOf(manifest: unknown): Uint8Array | undefined {
  try {
    layoutOf(manifest as Manifest);
    return renderSums(manifest as Manifest);
  } catch {
    return undefined;
  }
}

async function entry(path: string, content: Uint8Array): Promise<readonly Uint8Array[]> {
  const head = await renderHeader({ path, bytes: content.length, executable: false });
  return [head, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}

/** One value somewhere in it becomes another one, goes, or stands twice. */
function editJson(value: unknown, draw: Draw): unknown {
  if (typeof value === "string")
    return draw.pick([`${value}x`, value.slice(1), "", "../x", value.toUpperCase(), 7, null]);
  if (typeof value === "number") return draw.pick([value + 1, -value, 0, value * 1e9, String(value), null, 0.5]);
  if (typeof value === "boolean") return !value;
  if (Array.isArray(value)) {
    if (value.length === 0 || draw.below(6) === 0) return [...value, ...value, draw.pick([{}, 1, "x"])];
    const at = draw.below(value.length);
    const kind = draw.below(5);
    if (kind === 0) return value.toSpliced(at, 1);
    if (kind === 1) return value.toSpliced(at, 0, value[draw.below(value.length)]);
    if (kind === 2) return value.toReversed();
    return value.with(at, editJson(value[at], draw));
  }
  if (typeof value !== "object" || value === null) return draw.pick([{}, [], "x"]);
  const members = Object.entries(value);
  const [name = "x", member] = members.length === 0 ? [] : draw.pick(members);
  if (draw.below(12) === 0) return Object.fromEntries(members.filter(([each]) => each !== name));
  if (draw.below(12) === 0) return { ...value, more: member ?? 1 };
  return { ...value, [name]: editJson(member, draw) };
}

/** A manifest that keeps the rules, and says something else. */
function editManifest(value: unknown, draw: Draw): unknown {
  const manifest = value as Manifest;
  const kind = draw.below(6);
  if (kind === 0) return { ...manifest, tenant: draw.pick(["other", "demo-2"]) };
  if (kind === 1) return { ...manifest, deployment: `d${draw.below(100)}` };
  if (kind === 2) return { ...manifest, toolkit: { ...manifest.toolkit, version: `0.0.${draw.below(100)}` } };
  if (kind === 3) return { ...manifest, base: `sha256:${"0".repeat(63)}${draw.below(10)}` };
  const at = draw.below(manifest.files.length);
  const files = manifest.files.map((file, index) => (index === at ? { ...file, executable: !file.executable } : file));
  if (kind === 4) return { ...manifest, files };
  return { ...manifest, images: manifest.images.map((image) => ({ ...image, layers: image.layers.toReversed() })) };
}
