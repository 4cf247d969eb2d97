import { relative, resolve } from "node:path";

/** Whether two absolute paths are one, or one of them is below the other: who has one sees the other, or a part of it. */
export function overlaps(one: string, other: string): boolean {
  return isBelow(one, other) || isBelow(other, one);
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== ".." && !way.startsWith("../");
}
