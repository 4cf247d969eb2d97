import { describe, expect, it } from "vitest";
import type { Deployment } from "../../../model/deployment.ts";
import { defaultDeployment } from "../../../profiles/resolve.ts";
import { fakeMachine } from "../fake-machine.ts";
import type { SwapFacts } from "../hardening/swap.ts";
import type { Needs } from "../subject.ts";
import { custodyCoreLimit, judgeKeysInMemory } from "./keys-in-memory.ts";

const STRICT: Needs = { docker: true, builds: false, promises: true };
const DEV: Needs = { docker: true, builds: false, promises: false };
const file = defaultDeployment();
const token = { kind: "pkcs11", module: "/m.so", token: "acme", pinFile: "/pin", keyPrefix: "demo" } as const;
const onToken: Pick<Deployment, "custody"> = { custody: { ...file.custody, ...token } };

type Place = Pick<Deployment, "custody">;
const judge = (swap: readonly SwapFacts[] | undefined, coreLimit?: string, needs = STRICT, place: Place = file) =>
  judgeKeysInMemory(place, { swap, coreLimit }, needs).map(({ level, code }) => `${level} ${code}`);

describe("decryption keys in memory", () => {
  it("are well without swap and core dumps, and where nothing is known of either", () => {
    expect(judge([], "0")).toEqual([]);
    expect(judge(undefined)).toEqual([]);
  });

  it.each(["memory", "encrypted"] as const)("are well with swap that is in memory or encrypted: %s", (on) => {
    expect(judge([{ name: "/dev/a", on }], "0")).toEqual([]);
  });

  it.each(["none seen", "unknown"] as const)("are not well with swap whose encryption is %s", (on) => {
    const swap = [{ name: "/dev/sda3", on }];
    expect(judge(swap, "0")).toEqual(["problem DOCTOR_SWAP_PLAIN"]);
    expect(judge(swap, "0", DEV)).toEqual(["warning DOCTOR_SWAP_PLAIN"]);
    expect(judgeKeysInMemory(file, { swap, coreLimit: "0" }, STRICT)[0]?.message).toContain("(file)");
  });

  it.each(["unlimited", "4096"])("are not well where custody may dump: %s", (limit) => {
    expect(judge([], limit)).toEqual(["problem DOCTOR_CORE_DUMPS"]);
    expect(judge([], limit, DEV)).toEqual(["warning DOCTOR_CORE_DUMPS"]);
  });

  it("are nowhere with keys on a token of hardware, and in its server with one of software", () => {
    const swap = [{ name: "/dev/sda3", on: "none seen" }] as const;
    const hardware = { custody: { ...onToken.custody, leastClass: "hardware" } } as const;
    expect(judge(swap, "unlimited", STRICT, hardware)).toEqual([]);
    expect(judge(swap, "0", STRICT, onToken)).toEqual(["problem DOCTOR_SWAP_PLAIN"]);
  });
});

describe("the limit of custody's process", () => {
  const limits =
    "Limit  Soft Limit  Hard Limit  Units\nMax core file size        0                    4096            bytes\n";
  const machine = fakeMachine({ files: { "/proc/77/limits": limits, "/proc/0/limits": limits } });
  const limitOf = (stdout: string, code = 0) => custodyCoreLimit(async () => ({ stdout, stderr: "", code }), machine);

  it("is the one that the kernel says", async () => {
    expect(await limitOf("77\n")).toBe("4096");
  });

  it.each(["0\n", "", "78\n", "../77"])("is not known of no process: %j", async (stdout) => {
    expect(await limitOf(stdout, 1)).toBeUndefined();
  });
});
