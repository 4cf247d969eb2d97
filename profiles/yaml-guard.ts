import { Lexer } from "yaml";

const MAX_CHARACTERS = 64 * 1024;
const MAX_NESTING = 32;

/** Why a text is refused, where, and what mends it. */
export interface YamlRefusal {
  readonly message: string;
  readonly fix: string;
  readonly line: number;
  readonly column: number;
}

// Checked on tokens, before the recursive parser sees the text: a few kilobytes of nesting exhaust its stack, and the
// process dies of it.
/** Why a text is not even parsed, or undefined when it is safe to parse. */
export function yamlRefusal(text: string): YamlRefusal | undefined {
  if (text.length > MAX_CHARACTERS) {
    const message = `the file has ${text.length} characters; accepted: at most ${MAX_CHARACTERS}`;
    return { message, fix: "take what is not configuration out of the file", line: 1, column: 1 };
  }
  let line = 1;
  let flowDepth = 0;
  let inLine = 0;
  for (const token of new Lexer().lex(text)) {
    if (token.includes("\n")) {
      line += token.split("\n").length - 1;
      inLine = 0;
    }
    if (token === "[" || token === "{") flowDepth++;
    else if (token === "]" || token === "}") flowDepth--;
    else if (flowDepth === 0 && (token === "-" || token === "?" || token === ":")) inLine++;
    if (flowDepth > MAX_NESTING || inLine > MAX_NESTING) {
      const message = `nested deeper than ${MAX_NESTING} levels`;
      return { message, fix: "flatten it; no part of trustkern.yaml is deeper than 5", line, column: 1 };
    }
  }
  return undefined;
}
