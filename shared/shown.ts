/** A text that a stranger may have chosen, for a message: as long as an image's digest at least, control characters as escapes. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
}
