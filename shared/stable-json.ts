/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/** JSON text with members in ascending code-unit order, so that equal values give equal bytes. */
export function stableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, member) => (isPlainObject(member) ? sorted(member) : member), indent);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
