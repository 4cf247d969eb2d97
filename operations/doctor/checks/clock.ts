import type { DockerFacts } from "../docker-facts.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";
import type { Needs } from "../subject.ts";

const APART_WARN_MS = 1000;
const APART_PROBLEM_MS = 30_000;

/** Whether a time source sets the clock, and who said so. */
export interface ClockFacts {
  readonly synchronised: "yes" | "no" | "unknown";
  /** Program that was asked; undefined where none answered. */
  readonly saidBy: string | undefined;
}

const { ok, bad } = findingsOf("clock");

/** Asks systemd, which reads the kernel's own flag whoever sets it (adjtimex(2)), and then chrony. */
export async function gatherClock({ output }: Machine): Promise<ClockFacts> {
  const systemd = await output("timedatectl", ["show", "--property=NTPSynchronized", "--value"]);
  if (systemd?.trim() === "yes") return { synchronised: "yes", saidBy: "timedatectl" };
  // The last field of chrony's line is the leap status.
  const chrony = (await output("chronyc", ["-c", "tracking"]))?.trim().split(",").at(-1);
  if (chrony !== undefined) {
    return { synchronised: chrony === "Not synchronised" ? "no" : "yes", saidBy: "chronyc" };
  }
  if (systemd?.trim() === "no") return { synchronised: "no", saidBy: "timedatectl" };
  return { synchronised: "unknown", saidBy: undefined };
}

/** Whether certificates and messages are judged by a right clock, on both sides. */
export function judgeClock(facts: ClockFacts, docker: DockerFacts, needs: Needs): readonly DoctorFinding[] {
  return [judgeSource(facts, needs), ...judgeApart(docker)];
}

function judgeSource({ synchronised, saidBy }: ClockFacts, needs: Needs): DoctorFinding {
  if (synchronised === "yes") return ok(`the clock is synchronised, says ${saidBy}`);
  if (synchronised === "no") {
    const message = `the clock is not synchronised, says ${saidBy}`;
    return bad(needs.promises ? "problem" : "warning", "DOCTOR_CLOCK_UNSYNCHRONISED", message);
  }
  const message = "not proven that the clock is synchronised: neither timedatectl nor chronyc answers";
  return bad("warning", "DOCTOR_CLOCK_UNSYNCHRONISED", message);
}

function judgeApart(docker: DockerFacts): readonly DoctorFinding[] {
  if (docker.state === "unneeded") return [];
  if (docker.state === "away") {
    return [bad("warning", "DOCTOR_NOT_CHECKED", "docker's clock was not compared: docker does not answer")];
  }
  const { before, engine, after } = docker.clock;
  // Its clock was read at some moment between the two, so only what lies outside of them is a difference.
  const apartMs = Math.max(before - engine, engine - after, 0);
  if (!Number.isFinite(apartMs)) {
    return [bad("warning", "DOCTOR_NOT_CHECKED", "docker's clock was not compared: docker names no time")];
  }
  if (apartMs <= APART_WARN_MS) return [ok("docker's clock agrees with this machine's")];
  const message = `docker's clock is ${(apartMs / 1000).toFixed(1)} s ${engine < before ? "behind" : "ahead of"} this machine's`;
  return [bad(apartMs > APART_PROBLEM_MS ? "problem" : "warning", "DOCTOR_CLOCK_APART", message)];
}
