import { dropping, type Operator, onContainer, setting } from "./operator.ts";

const RIGHTS = "rendered.rights";
const LIMITS = "rendered.limits";

/** Rights of the host and of other containers. */
export const RIGHT_OPERATORS: readonly Operator[] = [
  setting("privileged", RIGHTS, [true]),
  onContainer("add a capability", RIGHTS, (box, draw) => {
    box.capabilities = {
      drop: ["ALL"],
      add: [draw.pick(["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_OVERRIDE", "ALL"])],
    };
  }),
  onContainer("keep capabilities", RIGHTS, (box, draw) => {
    box.capabilities = draw.pick([{}, { drop: [] }, { drop: ["NET_RAW"] }, { add: ["CHOWN"] }]);
  }),
  dropping("capabilities", RIGHTS),
  onContainer("give a device", RIGHTS, (box, draw) => {
    const path = draw.pick(["/dev/sda", "/dev/kvm", "/dev/mem", "/dev/net/tun", "/dev/tpm0"]);
    box.devices = [...(box.devices ?? []), { host_path: path, container_path: path, permissions: "rwm" }];
  }),
  setting("gpus", RIGHTS, ["all"]),
  setting("pid_mode", RIGHTS, ["host", "container:custody"]),
  setting("ipc_mode", RIGHTS, ["host", "shareable", "container:custody"]),
  setting("userns_mode", RIGHTS, ["host"]),
  setting("cgroupns_mode", RIGHTS, ["host"]),
  setting("network_mode", RIGHTS, ["host", "container:custody", "container:database"]),
  setting("user", RIGHTS, ["0:0", "root", "0", "10001:0", ""]),
  dropping("user", RIGHTS),
  setting("group_add", RIGHTS, [["docker"], ["0"], ["disk"]]),
  setting("read_only", RIGHTS, [false]),
  dropping("read_only", RIGHTS),
  setting("security_opts", RIGHTS, [
    [],
    ["no-new-privileges:false"],
    ["seccomp=unconfined"],
    ["no-new-privileges:true", "apparmor=unconfined"],
    ["no-new-privileges:true", "systempaths=unconfined"],
  ]),
  dropping("security_opts", RIGHTS),
  setting("sysctls", RIGHTS, [{ "net.ipv4.ip_forward": "1" }, { "kernel.shm_rmid_forced": "0" }]),
  setting("runtime", RIGHTS, ["sysbox", "nvidia"]),
  setting("cgroup_parent", RIGHTS, ["/"]),
  setting("command", RIGHTS, [["--inspect=0.0.0.0:9229"], ["sh"]]),
  onContainer("run another program", RIGHTS, (box, draw) => {
    box.entrypoint = draw.pick([
      ["/bin/sh", "-c", "sleep inf"],
      [...box.entrypoint, "--insecure"],
      box.entrypoint.slice(1),
    ]);
  }),
  dropping("entrypoint", RIGHTS),
];

/** Bounds, watching, and logs. */
export const LIMIT_OPERATORS: readonly Operator[] = [
  dropping("memory", LIMITS),
  onContainer("more memory", LIMITS, (box, draw) => {
    const memory = draw.pick([0, -1, box.memory + 1, box.memory * 16]);
    Object.assign(box, { memory, memory_swap: memory });
  }),
  onContainer("swap", LIMITS, (box, draw) => {
    box.memory_swap = draw.pick([-1, 0, box.memory * 2]);
  }),
  dropping("memory_swap", LIMITS),
  setting("cpus", LIMITS, ["64", "0", "-1", "", "1e9"]),
  dropping("cpus", LIMITS),
  dropping("ulimit", LIMITS),
  setting("ulimit", LIMITS, [[{ name: "core", soft: 0, hard: -1 }], [{ name: "core", soft: -1, hard: -1 }], []]),
  dropping("healthcheck", LIMITS),
  setting("healthcheck", LIMITS, [{ test: ["CMD", "/bin/true"] }, {}, { test: ["NONE"], interval: "5s" }]),
  onContainer(
    "watch less",
    LIMITS,
    (box, draw) =>
      Object.assign(box.healthcheck, draw.pick([{ interval: "24h0m0s" }, { retries: 1000 }, { timeout: "1h0m0s" }])),
    (box) => box.healthcheck.test[0] !== "NONE",
  ),
  setting("restart", LIMITS, ["always", "on-failure", ""]),
  dropping("restart", LIMITS),
  onContainer("may stay down", LIMITS, (box) => {
    box.must_run = !box.must_run;
  }),
  setting("log_driver", LIMITS, ["none", "syslog", "json-file", "gelf"]),
  dropping("log_driver", LIMITS),
  onContainer("log elsewhere", LIMITS, (box, draw) => {
    box.log_opts["fluentd-address"] = draw.pick(["203.0.113.9:24224", "tcp://evil.example:24224", "unix:///tmp/sock"]);
  }),
  onContainer("log without a bound", LIMITS, (box, draw) => {
    delete box.log_opts[draw.pick(Object.keys(box.log_opts))];
  }),
];
