/** A text that a stranger may have chosen, for a message: as long as an image's digest at least, control characters as escapes. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
}

/** A message that quotes what a stranger has written: nothing in it that a terminal obeys, or that turns the direction of reading. */
export function harmless(message: string): string {
  return message.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "?");
}
