/** Deepest nesting of a payload: its own object is level 1. */
export const PAYLOAD_MAX_DEPTH = 8;

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|.)/g;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * What is wrong with JSON text that parses: nesting deeper than 8, U+0000 or a lone surrogate. It looks at the text and
 * not at the value, where a member that is named twice would hide what the database still sees.
 */
export function findTextFault(json: string): string | undefined {
  if (deepestNesting(json) > PAYLOAD_MAX_DEPTH) return `nested deeper than ${PAYLOAD_MAX_DEPTH}`;
  // Text decoded from UTF-8 holds no lone surrogate, and JSON no bare U+0000: both can only come from an escape.
  return json.includes("\\u") ? findEscapeFault(json) : undefined;
}

function deepestNesting(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const unit = json.charCodeAt(i);
    if (inString) {
      if (unit === BACKSLASH) i++;
      else if (unit === QUOTE) inString = false;
    } else if (unit === QUOTE) inString = true;
    else if (unit === 0x7b || unit === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (unit === 0x7d || unit === 0x5d) depth--;
  }
  return deepest;
}

function findEscapeFault(json: string): string | undefined {
  let endOfHigh = -1;
  for (const match of json.matchAll(ESCAPE)) {
    const unit = match[1] === undefined ? -1 : Number.parseInt(match[1], 16);
    if (unit === 0) return "holds U+0000";
    const isLow = unit >= 0xdc00 && unit <= 0xdfff;
    const followsHigh = match.index === endOfHigh;
    if (isLow !== followsHigh || (endOfHigh !== -1 && !followsHigh)) return "holds a lone surrogate";
    endOfHigh = unit >= 0xd800 && unit <= 0xdbff ? match.index + match[0].length : -1;
  }
  return endOfHigh === -1 ? undefined : "holds a lone surrogate";
}
