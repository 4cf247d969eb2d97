import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createPem } from "../../../certs/signers/software.ts";

const RECORDER = join(import.meta.dirname, "recorder.ts");

/** A line that the recorder printed. */
export interface Said {
  /** Of the first line, when the log is open. */
  readonly pid?: number;
  readonly seq?: number;
  readonly root?: string;
  readonly refused?: string;
  readonly ms?: number;
  readonly all?: readonly Said[];
  readonly findings?: readonly unknown[];
  readonly records?: number;
  readonly failed?: string;
}

/** A process that records. */
export interface Recording {
  /** Lines that it has printed. */
  readonly said: readonly Said[];
  readonly stderr: () => string;
  /** Gives an order; resolves with the next line. One order at a time. */
  readonly tell: (order: string) => Promise<Said>;
  /** Gives an order that prints when it likes. */
  readonly order: (order: string) => void;
  /** Resolves with the next line that it prints. */
  readonly next: () => Promise<Said>;
  /** Kills the recorder, and what it runs under. */
  readonly kill: () => Promise<void>;
}

/** Where a log is, and the private key of its store, made for a test. */
export interface RecordingPlace {
  readonly folder: string;
  readonly pemFile: string;
}

/** A place for a log. */
export async function recordingPlace(): Promise<RecordingPlace> {
  const folder = mkdtempSync(join(tmpdir(), "tk-recorder-"));
  const pemFile = join(mkdtempSync(join(tmpdir(), "tk-recorder-key-")), "signer.pem");
  writeFileSync(pemFile, await createPem("P-256"), { mode: 0o600 });
  return { folder, pemFile };
}

/** How a recorder is started. */
export interface RecordingOptions extends RecordingPlace {
  /** Program and arguments that run it. @default none */
  readonly under?: readonly string[];
  /** Arguments of Node. @default none */
  readonly nodeArguments?: readonly string[];
  /** How long the log waits for the disk, in milliseconds. @default the product's own */
  readonly limitMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a recorder; its first line says that the log is open. */
export function startRecording(options: RecordingOptions): Recording {
  const { folder, pemFile, under = [], nodeArguments = [], limitMs, env = {} } = options;
  const [program = "", ...args] = [
    ...under,
    process.execPath,
    ...nodeArguments,
    RECORDER,
    folder,
    pemFile,
    ...(limitMs === undefined ? [] : [`${limitMs}`]),
  ];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  const said: Said[] = [];
  const waiting: ((line: Said) => void)[] = [];
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => {
    const line = JSON.parse(text) as Said;
    said.push(line);
    waiting.shift()?.(line);
  });
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]);
  const next = (): Promise<Said> =>
    Promise.race([
      new Promise<Said>((resolve) => waiting.push(resolve)),
      ended.then(() => Promise.reject(new Error(`the recorder ended: ${stderr}`))),
    ]);
  const order = (name: string): unknown => child.stdin.write(`${name}\n`);
  return {
    ...{ said, next, order, stderr: () => stderr },
    kill: async () => {
      // Who traces a process lets it go on when he dies.
      const pid = said[0]?.pid;
      if (child.exitCode === null && child.signalCode === null && pid !== undefined) process.kill(pid, "SIGKILL");
      child.kill("SIGKILL");
      await ended;
    },
    tell: (name) => {
      const answer = next();
      order(name);
      return answer;
    },
  };
}
