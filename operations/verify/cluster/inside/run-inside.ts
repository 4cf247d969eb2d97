import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { KubeConfig } from "@kubernetes/client-node";
import { NODE } from "../../../../modules/common.ts";
import { messageOf } from "../../../../shared/errors.ts";
import type { PodContainer } from "../../../../stacks/kubernetes/life/forward.ts";
import { insideErrors } from "./errors.ts";

/** Where a program runs. */
export interface InsidePlace extends PodContainer {
  readonly config: KubeConfig;
}

/** A program of `programs.ts`. */
export type InsideProgram<Question, Answer> = (question: Question) => AsyncIterable<Answer>;

/** Reads a program and a question from the first line of its input, and writes each of its answers as a line. */
const BOOT = `let t="";process.stdin.setEncoding("utf8").on("data",async(d)=>{t+=d;const n=t.indexOf("\\n");if(n<0)return;
process.stdin.removeAllListeners("data").pause();try{const{program,question}=JSON.parse(t.slice(0,n));
const write=(s)=>new Promise((r)=>process.stdout.write(s+"\\n",r));
for await(const a of(0,eval)("("+program+")")(question))await write(JSON.stringify(a));await write('"end"');process.exit(0)}
catch(e){process.stderr.write(String(e&&e.message)+"\\n",()=>process.exit(1))}})`;

/** The line behind the last answer: without it something was cut off. */
const END = "end";

/**
 * Runs a program in a container that runs, by the Node that is there, as whoever the container is: it has no right and no file that
 * the component has not, and nothing of it stays.
 * @param limitMs longest time of all of it, in milliseconds
 * @throws POD_NOT_LOOKED_INTO where it cannot be run, also for want of Node in the image, or does not end as it should
 */
export async function* runInside<Question, Answer>(
  place: InsidePlace,
  program: InsideProgram<Question, Answer>,
  question: Question,
  limitMs: number,
): AsyncIterable<Answer> {
  const { Exec } = await import("@kubernetes/client-node");
  const { config, namespace, pod, container } = place;
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const failed = (why: string, cause?: unknown) =>
    insideErrors.error("POD_NOT_LOOKED_INTO", `${pod}: ${why}`, { path: `Pod/${pod}`, cause });
  const end = (): void => void stdout.end();
  const said = text(stderr);
  let status: Status = {};
  const socket = await new Exec(config)
    .exec(namespace, pod, container, [NODE, "-e", BOOT], stdout, stderr, stdin, false, (given: Status) => {
      status = given;
      end();
    })
    .catch((thrown: unknown) => {
      throw failed(whyNot(thrown), thrown);
    });
  socket.on("close", end);
  socket.on("error", end);
  const timer = setTimeout(() => socket.terminate(), limitMs);
  try {
    stdin.write(`${JSON.stringify({ program: String(program), question })}\n`);
    yield* answersIn<Answer>(stdout, async () => {
      stderr.end();
      return failed(reasonOf(status, await said));
    });
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/** The one answer of a program that has one. @throws POD_NOT_LOOKED_INTO */
export async function askInside<Question, Answer>(
  place: InsidePlace,
  program: InsideProgram<Question, Answer>,
  question: Question,
  limitMs: number,
): Promise<Answer> {
  for await (const answer of runInside(place, program, question, limitMs)) return answer;
  throw insideErrors.error("POD_NOT_LOOKED_INTO", `${place.pod}: no answer`, { path: `Pod/${place.pod}` });
}

interface Status {
  readonly status?: string;
  readonly message?: string;
}

/** An image without Node says so as a program that is not there. */
function reasonOf({ message = "" }: Status, said: string): string {
  const [first = ""] = said.trim().split("\n");
  if (/executable file not found|no such file or directory/.test(message)) return NO_NODE;
  if (first !== "") return first.slice(0, 200);
  return message === "" ? "the connection ended" : message.slice(0, 200);
}

/** Why a container cannot be looked into by what its image has. */
export const NO_NODE = "its image has no Node, which looks from inside";

function whyNot(thrown: unknown): string {
  const { error } = (thrown ?? {}) as { readonly error?: unknown };
  return messageOf(error ?? thrown).slice(0, 200);
}

/**
 * The answers in what a program writes, up to its end line.
 * @param cut says why there is none
 * @throws what `cut` gives, where the end line is missing or something stands behind it
 */
export async function* answersIn<Answer>(
  written: AsyncIterable<Buffer>,
  cut: () => Promise<Error>,
): AsyncIterable<Answer> {
  let whole = false;
  for await (const line of linesOf(written)) {
    if (whole) throw await cut();
    const answer: unknown = JSON.parse(line);
    if (answer === END) whole = true;
    else yield answer as Answer;
  }
  if (!whole) throw await cut();
}

/** Whole lines alone. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncIterable<string> {
  let pending: Buffer[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      yield Buffer.concat([...pending, chunk.subarray(from, at)]).toString("utf8");
      [pending, from] = [[], at + 1];
    }
    pending.push(chunk.subarray(from));
  }
}
