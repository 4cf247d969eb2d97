import { profileNamed } from "../../profiles/index.ts";
import { type Assurance, type Constraint, renderScope } from "../../profiles/profile.ts";
import { renderRule } from "../../profiles/rule.ts";
import { TOPICS } from "../../profiles/topics.ts";
import { EXIT } from "../../shared/errors.ts";
import { printJson, type Run } from "../command.ts";
import { wrap } from "../wrap.ts";

/** Columns of a line. */
const COLUMNS = 98;

/** `profile explain`: by topic, what the file may say and what a running deployment is held to, each with its reason. */
export const run: Run = async ({ io, flags, args, paint }) => {
  const { name, summary, constraints, assurances, mayBeAbsent, defaults } = profileNamed(args[0] ?? "");
  if (flags.json) {
    const rest = { constraints, assurances, mayBeAbsent, defaults };
    printJson(io, { schema: "trustkern.profile-explain/1", name, summary, ...rest });
    return EXIT.done;
  }
  io.stdout(`${paint("bold", name)}: ${wrap(summary, COLUMNS - name.length - 2).join("\n  ")}\n`);
  const all = withoutRepetition([...constraints.map(said), ...assurances.map(held)]);
  for (const topic of TOPICS) {
    const lines = all.filter((line) => line.topic === topic);
    if (lines.length > 0) io.stdout(`\n${paint("bold", topic)}\n`);
    for (const { what, accepted, reason } of lines) {
      const [first = "", ...rest] = wrap(`${what}: ${accepted}`, COLUMNS - 6);
      const because = wrap(`because ${reason}`, COLUMNS - 6).map((line) => paint("dim", line));
      io.stdout([`  ${first}`, ...[...rest, ...because].map((line) => `      ${line}`), ""].join("\n"));
    }
  }
  return EXIT.done;
};

/** What one line of a profile prints. */
interface Line {
  readonly topic: string;
  readonly what: string;
  readonly accepted: string;
  readonly reason: string;
}

/** A list that takes lines of its own is printed where it stands first. */
function withoutRepetition(lines: readonly Line[]): readonly Line[] {
  return lines.map((line, index) => {
    const { what } = lines.find(({ accepted }) => accepted === line.accepted) ?? line;
    const again =
      line.accepted.length > COLUMNS && lines.findIndex(({ accepted }) => accepted === line.accepted) < index;
    return again ? { ...line, accepted: `one of the same list as ${what}` } : line;
  });
}

function said(line: Constraint): Line {
  return { topic: line.topic, what: renderScope(line), accepted: renderRule(line.rule), reason: line.reason };
}

function held({ topic, heldBy, accepted, reason }: Assurance): Line {
  const by = heldBy.includes(".") ? `held by the check ${heldBy}` : `held by trustkern ${heldBy}`;
  return { topic, what: `(${by})`, accepted, reason };
}
