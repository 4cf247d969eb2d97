import { describe, expect, it } from "vitest";
import { diagnose } from "./diagnose.ts";
import { type Diagnostic, parseEvent } from "./events.ts";

const names = { "docker_container.broker": { kind: "component", name: "broker" } };
const local = { names, unlock: undefined, stateFile: "/s/terraform.tfstate" };
const remote = { ...local, unlock: (id: string) => `tofu force-unlock -force ${id}` };
const LOCK_INFO =
  "Error message: resource temporarily unavailable\nLock Info:\n  ID:        748cca20-9595-983e-58ec-f2233940e262\n  Path:      terraform.tfstate\n  Operation: OperationTypeApply\n  Who:       root@vm\n  Version:   1.11.4\n  Created:   2026-11-21 13:38:57.075550913 +0000 UTC\n  Info:      \n\n\nTerraform acquires a state lock to protect the state from being written";

function error(summary: string, detail = "", address?: string): Diagnostic {
  return { severity: "error", summary, detail, ...(address === undefined ? {} : { address }) };
}

const inBroker = (summary: string): Diagnostic => error(summary, "", "docker_container.broker");

describe("a failed run", () => {
  // As the Docker provider 4.6.0 and both programs said it.
  it.each<[string, Diagnostic, RegExp]>([
    [
      "PORT_TAKEN",
      inBroker(
        "Unable to start container: Error response from daemon: driver failed programming external connectivity on endpoint broker (c9da83): Error starting userland proxy: listen tcp4 127.0.0.1:39999: bind: address already in use",
      ),
      /^component broker: port 39999 on 127\.0\.0\.1 is taken$/,
    ],
    [
      "PORT_TAKEN",
      inBroker(
        "Unable to start container: Error response from daemon: driver failed programming external connectivity on endpoint broker (c9da83): Bind for 0.0.0.0:8883 failed: port is already allocated",
      ),
      /broker: port 8883 on 0\.0\.0\.0 is taken$/,
    ],
    [
      "PORT_TAKEN",
      inBroker("Unable to start container: failed to bind host port 127.0.0.1:8883/tcp: address already in use"),
      /broker: port 8883 on 127\.0\.0\.1 is taken$/,
    ],
    [
      "PORT_TAKEN",
      inBroker("Error starting userland proxy: listen tcp6 [::1]:9000: bind: address already in use"),
      /broker: port 9000 on \[::1\] is taken$/,
    ],
    [
      "IMAGE_MISSING",
      inBroker(
        'Unable to create container with image runner-none:1: unable to pull image runner-none:1: error pulling image runner-none:1: Error response from daemon: Get "https://registry.example/v2/": no such host',
      ),
      /broker: image runner-none:1 is missing$/,
    ],
    ["IMAGE_MISSING", inBroker("Error response from daemon: No such image: trustkern/x:1"), /image trustkern\/x:1 is/],
    [
      "NAME_TAKEN",
      inBroker(
        'Unable to create container: Error response from daemon: Conflict. The container name "/broker" is already in use by container "861506". You have to remove (or rename) that container to be able to reuse that name.',
      ),
      /a container named "broker" exists/,
    ],
    [
      "SUBNET_TAKEN",
      error("Unable to create network: Error response from daemon: Pool overlaps with other one on this address space"),
      /Pool overlaps/,
    ],
    [
      "DOCKER_UNREACHABLE",
      error(
        "failed to create Docker client: Error pinging Docker server, please make sure that unix:///run/nope.sock is reachable and has a  '_ping' endpoint. Error: Cannot connect to the Docker daemon at unix:///run/nope.sock. Is the docker daemon running?",
      ),
      /does not answer/,
    ],
    [
      "TERRAFORM_DISK_FULL",
      error(
        "Error acquiring the state lock",
        'Error message: could not write lock info for "terraform.tfstate": write .terraform.tfstate.lock.info: no space left on device',
      ),
      /no space left/,
    ],
    [
      "PROVIDER_MISSING",
      error(
        "Failed to query available provider packages",
        "Could not retrieve the list of available versions for provider kreuzwerker/docker: no available releases match the given constraints 9.9.9",
      ),
      /9\.9\.9/,
    ],
    [
      "PROVIDER_MISSING",
      error(
        "Failed to resolve provider packages",
        "Could not resolve provider registry.terraform.io/kreuzwerker/docker: no available releases match the given constraints 9.9.9",
      ),
      /9\.9\.9/,
    ],
    ["STATE_BACKEND_CHANGED", error("Backend configuration changed", "A change in the backend"), /changed/],
    [
      "STATE_BACKEND_CHANGED",
      error(
        'Backend initialization required: please run "tofu init"',
        "Reason: Backend configuration block has changed",
      ),
      /changed/,
    ],
    [
      "PLAN_UNUSABLE",
      error(
        'Failed to load "bad" as a plan file',
        "Error: couldn't load the provided path (zip: not a valid zip file)",
      ),
      /not a valid zip/,
    ],
    ["PLAN_UNUSABLE", error("Saved plan is stale", "The given plan file can no longer be applied"), /stale/],
    ["STATE_LOCKED", error("Error acquiring the state lock", LOCK_INFO), /root@vm since 2026-11-21 13:38:57.*748cca20/],
    [
      "TERRAFORM_FAILED",
      error(
        "Error acquiring the state lock",
        'Error message: Failed to lock: Lock "http://127.0.0.1:1/s": dial tcp 127.0.0.1:1: connect: connection refused\n\nOpenTofu acquires a state lock',
      ),
      /connection refused/,
    ],
    ["TERRAFORM_FAILED", error("Something new"), /^Something new$/],
  ])("is %s: %j", (code, diagnostic, message) => {
    const thrown = diagnose([diagnostic], local);
    expect(thrown.code).toBe(code);
    expect(thrown.message).toMatch(message);
  });

  it("says that the other run is alive where the kernel holds the lock, and names no command that breaks it", () => {
    const { fix } = diagnose([error("Error acquiring the state lock", LOCK_INFO)], local);
    expect(fix).toMatch(/alive.*fuser \/s\/terraform\.tfstate/);
    expect(fix).not.toContain("force-unlock");
  });

  it("names the command that gives back the lock of a killed run in a remote state", () => {
    const { fix } = diagnose([error("Error acquiring the state lock", LOCK_INFO)], remote);
    expect(fix).toContain("tofu force-unlock -force 748cca20-9595-983e-58ec-f2233940e262");
  });

  it("believes the holder's id, and not that of the run that was refused, which Terraform prints as lock info", () => {
    const detail = LOCK_INFO.replace(
      "resource temporarily unavailable",
      "HTTP remote state already locked: ID=holder-1",
    );
    const { message, fix } = diagnose([error("Error acquiring the state lock", detail)], remote);
    expect(fix).toContain("force-unlock -force holder-1");
    expect(message).not.toMatch(/root@vm|748cca20/);
  });

  it("puts everything that is wrong in one report, once, the cause first", () => {
    const { code, message, fix } = diagnose(
      [
        error("Pool overlaps with other one on this address space", "", "docker_network.n"),
        inBroker("listen tcp4 127.0.0.1:8883: bind: address already in use"),
        inBroker("listen tcp4 127.0.0.1:8883: bind: address already in use"),
      ],
      local,
    );
    expect(code).toBe("PORT_TAKEN");
    expect(message.match(/8883/g)).toHaveLength(1);
    expect(message).toMatch(/^component broker.*; resource docker_network\.n: Pool overlaps/);
    expect(fix).toMatch(/ss -ltnup.*docker\.subnets/);
  });

  it("does not take a warning for an error", () => {
    expect(diagnose([{ severity: "warning", summary: "no space left on device", detail: "" }], local).code).toBe(
      "TERRAFORM_FAILED",
    );
  });

  it.each([
    ["https://user:hunter2@state.example/x refused", "hunter2"],
    ["bad key -----BEGIN PRIVATE KEY-----\nMIIhunter2\n-----END PRIVATE KEY----- end", "MIIhunter2"],
    ["cut key -----BEGIN EC PRIVATE KEY-----\nMIIhunter2", "MIIhunter2"],
    [`${"x".repeat(500)}hunter2`, "hunter2"],
  ])("leaves out what could be a credential: %j", (summary, secret) => {
    expect(diagnose([error(summary)], local).message).not.toContain(secret);
  });
});

describe("a line of output", () => {
  it("keeps no snippet of the configuration", () => {
    const line = `{"@level":"error","@message":"Error: x","type":"diagnostic","diagnostic":{"severity":"error","summary":"x","detail":"","snippet":{"code":"canary"}}}`;
    expect(JSON.stringify(parseEvent(line))).not.toContain("canary");
  });

  it.each(["", "Successfully configured the backend", '{"type":"log"}', '{"type":"apply_start"}', "[]", "null", "{"])(
    "means nothing where it is %j",
    (line) => {
      expect(parseEvent(line)).toBeUndefined();
    },
  );
});
