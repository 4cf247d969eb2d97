/**
 * Paths at which two JSON values differ, in the order of the first; of a member that only one has, the member's own. No value is
 * in them.
 */
export function differences(a: unknown, b: unknown, path = ""): readonly string[] {
  if (Object.is(a, b)) return [];
  if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return [path];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) => {
    const at = path === "" ? name : `${path}.${name}`;
    return Object.hasOwn(a, name) && Object.hasOwn(b, name) ? differences(a[name], b[name], at) : [at];
  });
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
