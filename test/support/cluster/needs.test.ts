import { describe, expect, it } from "vitest";
import { assertAble, assertRoot } from "./needs.ts";

describe("assertAble", () => {
  it("takes root on a machine that has everything", () => {
    expect(() => assertAble(0, () => true)).not.toThrow();
  });

  it.each([1, 1000, undefined])("refuses user %s before it looks for anything", (uid) => {
    const look = () => {
      throw new Error("looked");
    };
    expect(() => assertAble(uid, look)).toThrow(expect.objectContaining({ code: "CLUSTER_NOT_ROOT" }));
    expect(() => assertRoot(uid)).toThrow(expect.objectContaining({ code: "CLUSTER_NOT_ROOT" }));
  });

  it.each([
    ["/usr/bin/etcd", "etcd-server"],
    ["/usr/lib/cni/ptp", "containernetworking-plugins"],
    ["/usr/lib/cni/portmap", "containernetworking-plugins"],
    ["/usr/sbin/runc", "runc"],
    ["/usr/sbin/iptables", "iptables"],
  ])("names the Debian package where %s is missing", (file, name) => {
    const program = file.startsWith("/usr/lib/cni/") ? file : file.slice(file.lastIndexOf("/"));
    const has = (path: string): boolean => !path.endsWith(program);
    expect(() => assertAble(0, has)).toThrow(
      expect.objectContaining({
        code: "CLUSTER_PROGRAM_MISSING",
        message: expect.stringContaining(`(${name})`),
        fix: expect.stringMatching(new RegExp(`^apt-get install .* ${name}$`)),
      }),
    );
  });

  it("names everything that is missing at once, and each package once", () => {
    const refused = expect.objectContaining({
      message: expect.stringMatching(/containerd .*ctr .*etcd .*\/usr\/lib\/cni\/ptp/),
      fix: "apt-get install --no-install-recommends containerd containernetworking-plugins etcd-server iproute2 iptables mount runc util-linux",
    });
    expect(() => assertAble(0, () => false)).toThrow(refused);
  });
});
