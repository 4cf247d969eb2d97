import { NODE, PROBE } from "../../../modules/common.ts";
import { grantsOf } from "../grants.ts";
import { HEALTH } from "../runtime.ts";
import { blocks, misshapen, only, type Rule, type Subject, strangers } from "./subject.ts";

const MEMBERS = ["test", "interval", "timeout", "retries", "start_period"];

/** A container is asked what its component says, as often and as soon as every other, and `exit` jobs are not asked at all. */
export const healthRule: Rule = (value, subject) => {
  const path = `${subject.path}.healthcheck`;
  const [block = {}, ...more] = blocks(value) ?? [];
  const exactly = (member: string, accepted: unknown) =>
    only("RENDERED_HEALTH", `healthcheck.${member}`, () => accepted)(block[member], subject);
  const test = healthTest(subject);
  const asked = test !== undefined;
  return [
    ...(more.length > 0 ? misshapen(path, "one block", value) : []),
    ...strangers(block, MEMBERS, path),
    ...exactly("test", test ?? ["NONE"]),
    ...exactly("interval", asked ? goText(HEALTH.intervalSeconds) : undefined),
    ...exactly("timeout", asked ? goText(HEALTH.timeoutSeconds) : undefined),
    ...exactly("retries", asked ? HEALTH.retries : undefined),
    ...exactly("start_period", asked ? goText(subject.component.health.startupSeconds) : undefined),
  ];
};

function healthTest({ component }: Subject): readonly string[] | undefined {
  const { health, sockets } = component;
  if (health.kind === "exit" || grantsOf(component).has("health:none")) return undefined;
  if (health.kind === "command") return ["CMD", ...health.command];
  return ["CMD", NODE, PROBE, ...sockets.filter(({ name }) => name === health.socket).map(({ path }) => path)];
}

// As Go prints a duration: from the largest unit that is not 0 down to seconds.
function goText(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const from = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(from)
    .map(([count, unit]) => `${count}${unit}`)
    .join("");
}
