import { describe, expect, it } from "vitest";
import { rendered } from "../test-observation.ts";
import { mountFindings } from "./mount-table.ts";
import { secretIn } from "./secret-in.ts";

const spec = rendered.plan.containers.find(({ name }) => name === "broker")!;
const line = (at: string, options: string) => `1 2 0:1 / ${at} ${options},relatime - ext4 /dev/x rw`;
const TABLE = [
  line("/", "ro"),
  line("/proc", "rw"),
  line("/dev/shm", "rw"),
  line("/etc/resolv.conf", "rw"),
  line("/sys/fs/cgroup", "ro"),
  ...spec.mounts.map(({ target, readOnly }) => line(target, readOnly ? "ro" : "rw")),
  ...Object.keys(spec.tmpfs).map((target) => line(target, "rw")),
];

describe("the kernel's list of mounts", () => {
  const found = (table: readonly string[]) => mountFindings(spec, table.join("\n")).map(({ message }) => message);

  it("says nothing of what is as it should be, nor where it cannot be read", () => {
    expect(found(TABLE)).toEqual([]);
    expect(mountFindings(spec, undefined)).toEqual([]);
  });

  it.each([
    ["a mount more", [...TABLE, line("/var/other\\040folder", "ro")], 'the kernel has a mount at "/var/other folder"'],
    [
      "a mount over another",
      [...TABLE, line("/run/secrets", "ro")],
      'the kernel has 2 mounts over each other at "/run/secrets"',
    ],
    ["a mount over an engine's", [...TABLE, line("/proc", "rw")], 'the kernel has 2 mounts over each other at "/proc"'],
    ["a mount in an engine's folder", [...TABLE, line("/dev/sda", "rw")], 'the kernel has a mount at "/dev/sda"'],
    [
      "a mount less",
      TABLE.filter((one) => !one.includes(" /run/secrets ")),
      'the kernel has no mount at "/run/secrets"',
    ],
    ["a root that may be written", [line("/", "rw"), ...TABLE.slice(1)], '"/" may be written to'],
    [
      "secrets that may be written",
      TABLE.map((one) => one.replace("/run/secrets ro", "/run/secrets rw")),
      '"/run/secrets" may be written to',
    ],
  ])("shows %s", (_, table, message) => {
    expect(found(table)).toEqual([message]);
  });
});

describe("a secret in an environment", () => {
  it.each([
    ["API_TOKEN=abc"],
    ["POSTGRES_PASSWORD=x"],
    ["A=-----BEGIN PRIVATE KEY-----"],
    ["DB=q8Zf0TtqLx7Yw3Rk9Vb2Nc5M"],
    ["URL=postgres://u:Zk81mQx0Pv7LrT2wYc93HdNbUe@db/x"],
  ])("is %s", (variable) => {
    expect(secretIn(variable)).toBeDefined();
  });

  it.each([
    ["PATH=/usr/local/bin:/usr/bin:/bin"],
    ["TLS_KEY=/run/secrets/tls.key"],
    ["NODE_ENV=production"],
    ["EMPTY_TOKEN="],
    ["ARGS=--disable-warning=ExperimentalWarning"],
  ])("is not %s", (variable) => {
    expect(secretIn(variable)).toBeUndefined();
  });
});
