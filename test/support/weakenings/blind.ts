import { containersOf, type Loose, type Operator } from "./operator.ts";

const CROSSED = [
  "mounts",
  "networks_advanced",
  "env",
  "image",
  "entrypoint",
  "user",
  "labels",
  "tmpfs",
  "ports",
  "log_opts",
  "devices",
  "hostname",
];

interface Leaf {
  readonly path: string;
  readonly holder: Loose;
  readonly name: string;
}

/** Weakenings that nobody thought of: what one container has given to another, and any value of the stack changed. */
export const BLIND_OPERATORS: readonly Operator[] = [
  {
    name: "another container's attribute",
    breaks: "any",
    weaken: (stack, draw) => {
      const names = Object.keys(containersOf(stack));
      const [to, from, attribute] = [draw.pick(names), draw.pick(names), draw.pick(CROSSED)];
      const value = containersOf(stack)[from]?.[attribute];
      const target = containersOf(stack)[to];
      if (value === undefined) delete target[attribute];
      else target[attribute] = structuredClone(value);
      return `${to}.${attribute}`;
    },
  },
  {
    name: "any value",
    breaks: "any",
    weaken: (stack, draw) => {
      const { path, holder, name } = draw.pick(leavesOf(stack));
      const value = holder[name];
      if (typeof value === "boolean") holder[name] = !value;
      else if (typeof value === "number") holder[name] = value * 2 + 1;
      else holder[name] = `${value}x`;
      return path;
    },
  },
  {
    name: "any value taken away",
    breaks: "any",
    weaken: (stack, draw) => {
      const { path, holder, name } = draw.pick(leavesOf(stack));
      if (Array.isArray(holder)) holder.splice(Number(name), 1);
      else delete holder[name];
      return path;
    },
  },
];

// Comments, which no program reads, are not weakened.
function leavesOf(value: Loose, path = ""): Leaf[] {
  return Object.entries<Loose>(value).flatMap(([name, member]) => {
    if (name === "//") return [];
    const at = path === "" ? name : `${path}.${name}`;
    if (typeof member === "object" && member !== null) return leavesOf(member, at);
    return [{ path: at, holder: value, name }];
  });
}
