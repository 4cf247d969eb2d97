import { escrowErrors } from "../../custody/escrow/errors.ts";
import { assertQuorum, HOLDER_OPERATORS, type Holder, type Quorum } from "../../custody/escrow/holders.ts";
import type { Deployment } from "../../model/deployment.ts";
import { PROFILES } from "../../profiles/index.ts";
import { keepsRule, renderRule } from "../../profiles/rule.ts";
import { namesIn } from "../ceremony-options.ts";
import type { CommandContext } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { needed } from "../needed.ts";
import { wholeNumber } from "../whole-number.ts";

const WORD = /^[a-z][a-z-]{0,19}$/;
const MALFORMED = "a holder is not NAME, NAME=age1… or NAME:OPERATOR=age1…; as OPERATOR";
const HOLDER = /^(?<name>[^:=]+)(?::(?<operator>[^=]*))?(?:=(?<recipient>.*))?$/;

/**
 * Who gets a share: as `custody.escrow` of the deployment says, or else the command line, which overrides nothing. Held
 * against the profile either way.
 * @throws CLI_USAGE, CUSTODY_ESCROW_QUORUM, CUSTODY_ESCROW_HOLDER, CUSTODY_ESCROW_OPERATOR
 */
export function quorumOf({ options }: CommandContext, deployment: Deployment): Quorum {
  const said = deployment.custody.escrow;
  const flag = options.threshold !== undefined ? "--threshold" : "--holder";
  if (said !== undefined && (options.threshold !== undefined || options.holder !== undefined)) {
    throw cliErrors.error("CLI_USAGE", `${flag} would override custody.escrow of the deployment`, {
      path: flag,
      fix: "leave --threshold and --holder out, or change custody.escrow in trustkern.yaml",
    });
  }
  const quorum = said ?? quorumOnCommandLine(options);
  assertQuorum(quorum);
  assertOperators(quorum.holders, deployment);
  return quorum;
}

function quorumOnCommandLine(options: CommandContext["options"]): Quorum {
  const threshold = wholeNumber(needed(options.threshold, "--threshold"), "--threshold", 2, 255) ?? 0;
  return { threshold, holders: namesIn(needed(options.holder, "--holder")).map(holderOf) };
}

function holderOf(text: string): Holder {
  const { name = "", operator: said = "customer", recipient } = HOLDER.exec(text)?.groups ?? {};
  const operator = HOLDER_OPERATORS.find((known) => known === said);
  if (name !== "" && operator !== undefined && recipient !== "") return { name, operator, recipient };
  // A word alone is shown of what was given: somebody may have taken an identity for a recipient.
  const wrong = operator === undefined && WORD.test(said) ? `the operator "${said}" of a holder is unknown` : MALFORMED;
  throw cliErrors.error("CLI_USAGE", `${wrong}; accepted: ${HOLDER_OPERATORS.join(", ")}`, {
    path: "--holder",
    fix: `name each as NAME:OPERATOR=RECIPIENT; OPERATOR is ${HOLDER_OPERATORS.join(", ")}`,
  });
}

function assertOperators(holders: readonly Holder[], { profile }: Deployment): void {
  for (const { path, rule, reason } of PROFILES[profile].constraints) {
    if (path !== "custody.escrow.holders.*.operator") continue;
    const refused = holders.filter(({ operator }) => !keepsRule(rule, operator));
    if (refused.length === 0) continue;
    const who = refused.map(({ name, operator }) => `${name} is of ${operator}`).join(", ");
    const message = `${who}; profile ${profile} accepts: ${renderRule(rule)}, because ${reason}`;
    throw escrowErrors.error("CUSTODY_ESCROW_OPERATOR", message, { path: "custody.escrow.holders" });
  }
}
