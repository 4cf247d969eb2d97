import { describe, expect, it } from "vitest";
import { fakeMachine } from "../fake-machine.ts";
import type { Needs } from "../subject.ts";
import { encryptionOfPath } from "./block-device.ts";
import { gatherCoreDumps, judgeCoreDumps } from "./core-dumps.ts";
import { gatherEncryption, judgeEncryption } from "./disk-encryption.ts";
import { gatherSwap, judgeSwap } from "./swap.ts";

const DEV: Needs = { docker: true, builds: false, promises: false };
const STRICT: Needs = { docker: true, builds: false, promises: true };
const EMBEDDED: Needs = { docker: false, builds: false, promises: false };
const SYS = "/sys/devices/virtual/block";
const DISK = "/sys/devices/pci/block/sda";
const dm = (name: string, uuid: string) => ({ [`${SYS}/${name}/dm/uuid`]: `${uuid}\n` });

describe("encryption below a path", () => {
  const look = (device: string, files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>) =>
    encryptionOfPath(fakeMachine({ files, links, devices: { "/data": device, "/disk.img": "8:2" } }), "/data");

  it("is seen on dm-crypt, and through a volume that lies on it", () => {
    expect(look("254:0", dm("dm-0", "CRYPT-LUKS2-ab-luks"), { "/sys/dev/block/254:0": `${SYS}/dm-0` })).toBe(
      "encrypted",
    );
    const lvm = { ...dm("dm-1", "LVM-xy"), ...dm("dm-0", "CRYPT-LUKS2-ab-luks") };
    expect(
      look("254:1", lvm, { "/sys/dev/block/254:1": `${SYS}/dm-1`, [`${SYS}/dm-1/slaves/dm-0`]: `${SYS}/dm-0` }),
    ).toBe("encrypted");
  });

  it("is not seen on a partition, nor on a volume of which one disk is plain", () => {
    const partition = { [`${DISK}/sda2/partition`]: "2\n" };
    expect(look("8:2", partition, { "/sys/dev/block/8:2": `${DISK}/sda2` })).toBe("none seen");
    const array = { ...dm("dm-1", "LVM-xy"), ...dm("dm-0", "CRYPT-LUKS2-ab-luks"), [`${DISK}/size`]: "1" };
    const slaves = { [`${SYS}/dm-1/slaves/dm-0`]: `${SYS}/dm-0`, [`${SYS}/dm-1/slaves/sda`]: DISK };
    expect(look("254:1", array, { "/sys/dev/block/254:1": `${SYS}/dm-1`, ...slaves })).toBe("none seen");
  });

  it("of a loop device is that of its file's disk", () => {
    const loop = { [`${SYS}/loop0/loop/backing_file`]: "/disk.img\n", [`${DISK}/sda2/partition`]: "2\n" };
    expect(look("7:0", loop, { "/sys/dev/block/7:0": `${SYS}/loop0`, "/sys/dev/block/8:2": `${DISK}/sda2` })).toBe(
      "none seen",
    );
  });

  it("is not known in memory, on an overlay, without sysfs, and on nothing", () => {
    expect(look("0:45", {}, {})).toBe("unknown");
    expect(look("8:2", {}, {})).toBe("unknown");
    expect(encryptionOfPath(fakeMachine(), "/data")).toBe("unknown");
  });

  it("that is not proven is a warning, and never silent", () => {
    const findings = judgeEncryption(gatherEncryption(fakeMachine(), "/srv/state", "/var/lib/docker"));
    expect(findings.map(({ level, code }) => `${level} ${code}`)).toEqual([
      "warning DOCTOR_DISK_UNENCRYPTED",
      "warning DOCTOR_DISK_UNENCRYPTED",
    ]);
  });
});

describe("swap", () => {
  const HEAD = "Filename\tType\tSize\tUsed\tPriority\n";
  const judge = (swaps: string, needs: Needs = DEV, files = {}, links = {}, devices = {}) =>
    judgeSwap(gatherSwap(fakeMachine({ files: { "/proc/swaps": HEAD + swaps, ...files }, links, devices })), needs).map(
      ({ level }) => level,
    );
  const PARTITION = "/dev/sda3 partition 8 0 -2\n";
  const ZRAM = "/dev/zram0 partition 8 0 100\n";
  const zram = { "/sys/class/block/zram0": `${SYS}/zram0`, "/sys/class/block/sda3": DISK };

  it("is well when off, in memory, or on dm-crypt", () => {
    expect(judge("")).toEqual(["ok"]);
    expect(judge(ZRAM, STRICT, { [`${SYS}/zram0/backing_dev`]: "none\n" }, zram)).toEqual(["ok"]);
    const links = { "/dev/mapper/swap": "/dev/dm-0", "/sys/class/block/dm-0": `${SYS}/dm-0` };
    expect(judge("/dev/mapper/swap partition 8 0 -2\n", STRICT, dm("dm-0", "CRYPT-PLAIN-swap"), links)).toEqual(["ok"]);
  });

  it("is a problem on a plain partition where the profile makes promises, and a warning in dev", () => {
    const links = { "/sys/class/block/sda3": DISK };
    expect(judge(PARTITION, STRICT, {}, links)).toEqual(["problem"]);
    expect(judge(PARTITION, DEV, {}, links)).toEqual(["warning"]);
  });

  it("is not well where nothing is known of the device", () => {
    expect(judge(PARTITION)).toEqual(["warning"]);
  });

  it("is not well when compressed memory is written back to a plain disk", () => {
    expect(judge(ZRAM, DEV, { [`${SYS}/zram0/backing_dev`]: "/dev/sda3\n" }, zram)).toEqual(["warning"]);
  });

  it("is not well in a file on a plain disk, whatever blanks its name has, and says of each area its own", () => {
    const links = { "/sys/dev/block/8:2": DISK };
    expect(judge(`/my\\040swap file 8 0 -2\n${PARTITION}`, STRICT, {}, links, { "/my swap": "8:2" })).toEqual([
      "problem",
      "problem",
    ]);
  });

  it("that the kernel does not list is not checked", () => {
    expect(judgeSwap(gatherSwap(fakeMachine()), STRICT).map(({ code }) => code)).toEqual(["DOCTOR_NOT_CHECKED"]);
  });
});

describe("core dumps", () => {
  const limits = (hard: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax core file size        0                    ${hard}            bytes\n`;
  const judge = (pattern: string | undefined, needs: Needs = DEV, docker = "unlimited", own = "unlimited") => {
    const files = {
      ...(pattern === undefined ? {} : { "/proc/sys/kernel/core_pattern": `${pattern}\n` }),
      "/var/run/docker.pid": "77",
      "/proc/77/limits": limits(docker),
      "/proc/self/limits": limits(own),
    };
    return judgeCoreDumps(gatherCoreDumps(fakeMachine({ files })), needs).map(({ level }) => level);
  };

  it("are well when the kernel discards them", () => {
    for (const pattern of ["", "|/bin/false", "|/usr/bin/false %P", "|/bin/true"])
      expect(judge(pattern, STRICT)).toEqual(["ok"]);
  });

  it("are well when the limit of who runs the processes is 0", () => {
    expect(judge("core", DEV, "0", "unlimited")).toEqual(["ok"]);
    expect(judge("core", EMBEDDED, "unlimited", "0")).toEqual(["ok"]);
  });

  it.each([
    ["a file is written", "core", STRICT, "problem"],
    ["a file is written in dev", "/var/crash/core.%p", DEV, "warning"],
    ["a program takes them", "|/usr/lib/systemd/systemd-coredump %P %u", STRICT, "problem"],
    ["a program is named like false", "|/opt/bin/false-collector", DEV, "warning"],
    ["the kernel does not say", undefined, STRICT, "warning"],
  ] as const)("are not when %s", (_, pattern, needs, level) => {
    expect(judge(pattern, needs)).toEqual([level]);
  });

  it("are not well by the limit of somebody else, nor by a limit for a program that takes them", () => {
    expect(judge("core", DEV, "unlimited", "0")).toEqual(["warning"]);
    expect(judge("core", EMBEDDED, "0", "unlimited")).toEqual(["warning"]);
    expect(judge("|/bin/apport", DEV, "0", "0")).toEqual(["warning"]);
  });
});
