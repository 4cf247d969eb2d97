import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cgroupOf, hierarchies, makeCgroups, removeCgroups } from "./cgroups.ts";

let dir: string;
let places: readonly string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tk-cgroups-"));
  places = ["cpu", "memory"].map((name) => join(dir, name));
  for (const place of places) mkdirSync(join(place, "other"), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("hierarchies", () => {
  it("are every mount of either version, and no other file system there", () => {
    const mounts = `proc /proc proc rw 0 0
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`;
    expect(hierarchies(mounts)).toEqual(["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified"]);
  });
});

describe("removeCgroups", () => {
  it("removes the group and all below it in every hierarchy, and no other group", async () => {
    makeCgroups(places, "mine");
    for (const place of places) mkdirSync(join(place, "mine", "pods", "one"), { recursive: true });
    await removeCgroups(places, "mine");
    expect(places.map((place) => readdirSync(place))).toEqual([["other"], ["other"]]);
  });

  it("has nothing to do where there is none", async () => {
    await expect(removeCgroups(places, "mine")).resolves.toBeUndefined();
  });

  it("waits for a group that is still in use", async () => {
    makeCgroups(places, "mine");
    const busy = join(places[1] ?? "", "mine", "process");
    writeFileSync(busy, "");
    setTimeout(() => rmSync(busy), 150);
    await removeCgroups(places, "mine");
    expect(existsSync(join(places[1] ?? "", "mine"))).toBe(false);
  });

  it("says which group stays in use", async () => {
    makeCgroups(places, "mine");
    writeFileSync(join(places[0] ?? "", "mine", "process"), "");
    await expect(removeCgroups(places, "mine", 200)).rejects.toMatchObject({ code: "CLUSTER_LEFTOVER" });
  });
});

describe("cgroupOf", () => {
  it("is another for each state folder", () => {
    expect(cgroupOf("/a")).not.toBe(cgroupOf("/b"));
    expect(cgroupOf("/a")).toBe(cgroupOf("/a"));
  });
});
