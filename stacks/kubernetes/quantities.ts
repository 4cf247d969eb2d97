// As the API writes them back: another form of the same amount would look like a change to whoever compares texts.

/** Processors as a quantity: `2`, or `500m` for a part of one. */
export function cores(count: number): string {
  const thousandths = Math.round(count * 1000);
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}

/** Mebibytes as a quantity, in the largest unit that they are a whole number of: `1536Mi`, `2Gi`. */
export function mebibytes(count: number): string {
  return count > 0 && count % 1024 === 0 ? `${count / 1024}Gi` : `${count}Mi`;
}
