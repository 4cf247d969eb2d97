import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { checkBoundary } from "./boundary.ts";
import type { Component } from "./component.ts";
import { DATA_CLASSES, type DataClass, PROTECTIONS, type Protection, ZONES, type Zone } from "./zones.ts";

// The compiler is asked about every combination, one statement a line; its answers are laid beside the run-time rule.
interface Question {
  readonly source: string;
  readonly breaches: readonly unknown[];
}

const folder = dirname(fileURLToPath(import.meta.url));
const prelude = `import { component } from "./component.ts"; import { flow } from "./flow.ts";
const rest = { name: "x", files: [], sockets: [], health: { kind: "socket" as const, socket: "c", startupSeconds: 1 }, limits: { memoryMiB: 1, pids: 1, cpus: 1 }, network: true };
${ZONES.map((zone) => `const ${zone} = component({ ...rest, zone: "${zone}", holds: [] });`).join(" ")}`;

const holds = ZONES.flatMap((zone) => DATA_CLASSES.map((held) => holdQuestion(zone, held)));
const carries = ZONES.flatMap((from) =>
  ZONES.flatMap((to) =>
    PROTECTIONS.flatMap((protection) => DATA_CLASSES.map((carried) => flowQuestion(from, to, protection, carried))),
  ),
);
let wrongLines: ReadonlySet<number>;

beforeAll(() => {
  wrongLines = linesWithErrors([prelude, ...[...holds, ...carries].map(({ source }) => source)].join("\n"));
}, 60_000);

describe("the types and the run-time rule", () => {
  it("agree on every zone and data class", () => {
    expect(disagreements(holds, 3)).toEqual([]);
    expect(holds).toHaveLength(30);
  });

  it("agree on every pair of zones, protection and data class", () => {
    expect(disagreements(carries, 3 + holds.length)).toEqual([]);
    expect(carries).toHaveLength(5 * 5 * 5 * 6);
  });

  it("both refuse something and both allow something", () => {
    expect(wrongLines.size).toBeGreaterThan(100);
    expect(wrongLines.size).toBeLessThan(holds.length + carries.length);
    expect([...wrongLines].every((line) => line >= 3)).toBe(true);
  });
});

function disagreements(questions: readonly Question[], firstLine: number): string[] {
  return questions
    .filter(({ breaches }, index) => breaches.length > 0 !== wrongLines.has(firstLine + index))
    .map(({ source }) => source);
}

function holdQuestion(zone: Zone, held: DataClass): Question {
  const source = `component({ ...rest, zone: "${zone}", holds: ["${held}"] });`;
  return { source, breaches: checkBoundary({ engine: "embedded", components: [part("x", zone, [held])], flows: [] }) };
}

function flowQuestion(from: Zone, to: Zone, protection: Protection, carried: DataClass): Question {
  const source = `flow({ from: ${from}, to: ${to}, port: "p", protection: "${protection}", carries: ["${carried}"] });`;
  const components = [part("a", from, []), part("b", to, [])];
  const flows = [{ from: "a", to: "b", port: "p", protection, carries: [carried] }];
  return { source, breaches: checkBoundary({ engine: "embedded", components, flows }) };
}

function part(name: string, zone: Zone, held: readonly DataClass[]): Component {
  return {
    name,
    zone,
    holds: held,
    ports: [{ name: "p", port: 1, protocol: "tcp" }],
    sockets: [{ name: "p", path: "/p" }],
    files: [],
    secrets: [],
    volumes: [],
    scratch: [],
    health: { kind: "socket", socket: "p", startupSeconds: 1 },
    limits: { memoryMiB: 1, pids: 1, cpus: 1 },
    replicas: 1,
    exceptions: [],
    network: true,
    renewal: "restart",
    workers: false,
  };
}

/** 0-based lines of a virtual file of this folder on which the compiler finds an error. */
function linesWithErrors(text: string): ReadonlySet<number> {
  const file = join(folder, "every-combination.ts");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, ...others) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ESNext) : getSourceFile(name, ...others);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  const errors = program.getSemanticDiagnostics(source);
  return new Set(errors.map(({ start = 0 }) => source?.getLineAndCharacterOfPosition(start).line ?? -1));
}
