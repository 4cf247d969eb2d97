import { spawn } from "node:child_process";

/** How a program ended. */
export interface Ended {
  /** Null when it was not there to be started. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program without a shell, and waits for its end.
 * @param input what it reads, which may be a secret. @default nothing
 */
export async function runDeviceProgram(
  program: string,
  args: readonly string[],
  input: Uint8Array = Buffer.alloc(0),
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk;
    });
    child.on("error", () => resolve({ code: null, stdout: Buffer.alloc(0), stderr: "" }));
    child.on("close", (code) => resolve({ code: code ?? 1, stdout: joined(out), stderr }));
    // A program that ends without reading is judged by how it ended.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** The chunks in one buffer, of which the caller has the only copy. */
function joined(chunks: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return whole;
}
