type Values = Readonly<Record<string, unknown>>;

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** Seconds of a duration such as `1m30s`. */
function seconds(text: string): number {
  const parts = [...text.matchAll(/(\d+)([hms])/g)];
  if (parts.map(([part]) => part).join("") !== text) throw new Error(`"${text}" is no duration`);
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? Number.NaN), 0);
}

/** Bytes of a size such as `64m`, or of a number. */
function bytes(text: string): number {
  const [, count, unit] = /^(\d+)(m?)$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`"${text}" is no size`);
  return Number(count) * (unit === "m" ? 2 ** 20 : 1);
}

const READ: Readonly<Record<string, (text: string) => unknown>> = {
  mem_limit: bytes,
  memswap_limit: bytes,
  stop_grace_period: seconds,
  interval: seconds,
  timeout: seconds,
  start_period: seconds,
  devices: device,
};

function device(text: string): unknown {
  const [source, target, permissions] = text.split(":");
  return { source, target, permissions };
}

function variable(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * A file of Compose with one way to say each thing: sizes in bytes, durations in seconds, nothing that says what would be so anyway.
 * Both what was exported and what Compose made of it are brought into this form.
 */
export function canonical(value: unknown, key = ""): unknown {
  if (key === "environment" && Array.isArray(value)) return Object.fromEntries(value.map(variable));
  if (Array.isArray(value)) return value.map((each) => canonical(each, key));
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value as Values)
      .filter(([name, member]) => !isDefault(name, member))
      .map(([name, member]) => [name, canonical(member, name)]);
    return Object.fromEntries(members);
  }
  const read = READ[key];
  return read !== undefined && typeof value === "string" ? read(value) : value;
}

/** What Compose takes where nothing is said. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  command: null,
  // Compose prints an empty `bind` for this, and no `bind` where nothing was said, which is another thing.
  create_host_path: false,
  internal: false,
  mode: "ingress",
  read_only: false,
  disable: false,
};

function isDefault(name: string, value: unknown): boolean {
  return name in DEFAULTS && DEFAULTS[name] === value;
}
