import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  Scalar,
  visit,
} from "yaml";
import { messageOf } from "../shared/errors.ts";
import type { Finding } from "../shared/finding.ts";
import { profileErrors } from "./errors.ts";
import { yamlRefusal } from "./yaml-guard.ts";

const MAX_ALIASES = 100;
const MAX_SYNTAX_FINDINGS = 20;

/** 1-based place in a text. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML text as a value that still knows where each part stands. */
export interface YamlSource {
  /** Undefined when the text is too broken, or not safe to expand. */
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Whether the text is more broken than by keys that stand twice, so that parts may be missing from `value`. */
  readonly partial: boolean;
  /** Place of the value at a path, or of the nearest parent that is there. */
  readonly valueAt: (path: readonly PropertyKey[]) => Position;
  /** A scalar as it is written, such as `012` for the number 12. */
  readonly textAt: (path: readonly PropertyKey[]) => string | undefined;
  /** Place of a key in the map at a path. */
  readonly keyAt: (path: readonly PropertyKey[], key: string) => Position;
}

/** Reads YAML 1.2 in bounded time and depth; syntax errors become findings. */
export function readYaml(text: string): YamlSource {
  const refused = yamlRefusal(text);
  if (refused) return { ...nowhere, findings: [{ ...refused, code: "CONFIG_YAML", path: "" }] };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const findings = [...document.errors, ...document.warnings]
    .slice(0, MAX_SYNTAX_FINDINGS)
    .map(({ code, message, pos }) =>
      code === "DUPLICATE_KEY"
        ? duplicateKey(pathOfKey(document, pos[0]), place(pos[0]))
        : yamlFinding(message, place(pos[0]), SYNTAX_FIXES[code]),
    );
  const dangling = danglingAliases(document, place);
  const expanded = expand(document);
  return {
    value: expanded.value,
    findings: [...findings, ...dangling, ...expanded.excess],
    partial: expanded.value === undefined || document.errors.some(({ code }) => code !== "DUPLICATE_KEY"),
    valueAt: (path) => place(offsetOf(document, nodeAt(document, path))),
    textAt: (path) => {
      const node = nodeAt(document, path);
      return isScalar(node) ? node.source : undefined;
    },
    keyAt: (path, key) => place(offsetOf(document, keyNode(document, nodeAt(document, path), key))),
  };
}

const nowhere = {
  value: undefined,
  partial: true,
  valueAt: () => ({ line: 1, column: 1 }),
  textAt: () => undefined,
  keyAt: () => ({ line: 1, column: 1 }),
} as const;

function expand(document: Document): { readonly value: unknown; readonly excess: readonly Finding[] } {
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), excess: [] };
  } catch (cause) {
    const fix = `write the values out, or use at most ${MAX_ALIASES} aliases to anchors above them`;
    return { value: undefined, excess: [yamlFinding(messageOf(cause), { line: 1, column: 1 }, fix)] };
  }
}

// Each is replaced by its own text, so that the rest of the document can still be checked.
function danglingAliases(document: Document, place: (offset: number) => Position): Finding[] {
  const anchors = new Set<string>();
  const findings: Finding[] = [];
  visit(document, {
    Node: (_, node, ancestors) => {
      if (!isAlias(node)) {
        if (node.anchor) anchors.add(node.anchor);
        return undefined;
      }
      const meant = node.resolve(document);
      const endless = meant !== undefined && ancestors.includes(meant);
      if (anchors.has(node.source) && !endless) return undefined;
      const text = new Scalar(`*${node.source}`);
      text.range = node.range ?? null;
      if (findings.length < MAX_SYNTAX_FINDINGS) {
        const message = endless
          ? `*${node.source} stands for what it is a part of`
          : `*${node.source} stands for nothing: there is no anchor &${node.source} above it`;
        findings.push(yamlFinding(message, place(offsetOf(document, node)), "write the value out, or add the anchor"));
      }
      return text;
    },
  });
  return findings;
}

function duplicateKey(path: string, position: Position): Finding {
  const { fix } = profileErrors.entries.CONFIG_DUPLICATE_KEY;
  return { code: "CONFIG_DUPLICATE_KEY", path, message: "this key stands twice in its map", fix, ...position };
}

function pathOfKey(document: Document, offset: number): string {
  let found = "";
  visit(document, {
    Pair: (_, pair, ancestors) => {
      if (!isNode(pair.key) || pair.key.range?.[0] !== offset) return undefined;
      found = [...ancestors.filter((ancestor) => isPair(ancestor)), pair].map(({ key }) => String(key)).join(".");
      return visit.BREAK;
    },
  });
  return found;
}

const SYNTAX_FIXES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with spaces instead of tabs",
  MULTIPLE_DOCS: "keep one deployment in one file",
  TAG_RESOLVE_FAILED: "delete the tag, the word that begins with !",
  BAD_INDENT: "indent the line as its neighbours, and close every bracket",
  MISSING_CHAR: "close the quote, bracket or colon",
};

function yamlFinding(message: string, position: Position, fix = profileErrors.entries.CONFIG_YAML.fix): Finding {
  return { code: "CONFIG_YAML", path: "", message, fix, ...position };
}

function nodeAt(document: Document, path: readonly PropertyKey[]): unknown {
  let node: unknown = document.contents;
  for (const key of path) {
    const collection = isAlias(node) ? node.resolve(document) : node;
    const next = isCollection(collection) ? collection.get(key, true) : undefined;
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

function keyNode(document: Document, node: unknown, key: string): unknown {
  const map = isAlias(node) ? node.resolve(document) : node;
  if (!isMap(map)) return node;
  const pair = map.items.find((item) => String(isScalar(item.key) ? item.key.value : item.key) === key);
  return pair?.key ?? node;
}

function offsetOf(document: Document, node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? document.range?.[0] ?? 0;
}
