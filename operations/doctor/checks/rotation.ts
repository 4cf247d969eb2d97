import { join } from "node:path";
import { z } from "zod";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";

/** What the journal of a rotation says of itself; what later versions add is passed over. */
const journal = z.object({
  what: z.string(),
  startedAt: z.string(),
  phase: z.string(),
  abandoned: z.boolean().optional(),
});

const FILE = "rotation.json";
const { bad } = findingsOf("certificates");

/** Whether a rotation was begun and is not done: until it is, old and new are both accepted. */
export function judgeRotation(machine: Machine, stateDir: string): readonly DoctorFinding[] {
  if (!(machine.listFolder(stateDir) ?? []).includes(FILE)) return [];
  const parsed = journal.safeParse(parse(machine.readText(join(stateDir, FILE)) ?? ""));
  if (!parsed.success) {
    const fix = `restore "${FILE}" from a copy of the state directory, or run \`trustkern doctor\` as the user who deployed`;
    return [bad("problem", "DOCTOR_ROTATION_UNFINISHED", `"${FILE}" cannot be read as a rotation's journal`, fix)];
  }
  const { what, startedAt, phase, abandoned = false } = parsed.data;
  const how = abandoned ? "is being given up and has" : "has";
  const message = `the rotation of ${what}, begun ${startedAt}, ${how} not come to its end: it is at "${phase}"`;
  return [bad("warning", "DOCTOR_ROTATION_UNFINISHED", message)];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
