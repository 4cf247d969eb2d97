import { describe, expect, test } from "vitest";
import { bring, dealTo } from "../../custody/escrow/test-deal.ts";
import type { CommandContext } from "../command.ts";
import { readShares } from "./share-input.ts";
import { printShares } from "./share-output.ts";

/** A terminal, and what it showed. */
function terminal(more: object = {}): { context: CommandContext; shown: () => string } {
  let shown = "";
  const print = (text: string) => {
    shown += text;
  };
  const isTerminal = { stdin: true, stdout: true, stderr: true };
  const io = { stdout: print, stderr: print, isTerminal, cancelled: new AbortController().signal, cwd: "/", ...more };
  const context = { io, flags: { nonInteractive: false }, options: {}, args: [] } as unknown as CommandContext;
  return { context, shown: () => shown };
}

const dealt = await dealTo(3, 5);
const [one = "", two = "", three = ""] = bring(dealt).map(({ text }) => text);
const typing = (...lines: readonly string[]) => {
  const questions: string[] = [];
  const rest = [...lines];
  return {
    questions,
    ask: async (question: string): Promise<string> => {
      questions.push(question);
      return rest.shift() ?? "";
    },
  };
};

describe("shares that are typed", () => {
  test("are asked for until a quorum is there, and not shown", async () => {
    const { context, shown } = terminal();
    const { ask, questions } = typing(one, ` ${two.toUpperCase()} `, three, "more");
    expect(await readShares(context, dealt.escrow, ask)).toHaveLength(3);
    expect(questions).toHaveLength(3);
    expect(shown()).toBe("");
  });

  test("are asked for again when something is wrong with one, which is said at once", async () => {
    const { context, shown } = terminal();
    const { ask, questions } = typing(one, one, `${two}q`, "hello", two, three);
    expect((await readShares(context, dealt.escrow, ask)).map(({ text }) => text)).toEqual([one, two, three]);
    expect(questions).toHaveLength(6);
    expect(shown()).toContain('"typed share 2" is share 1, and so is "typed share 1"');
    expect(shown()).toContain("checksum");
    expect(shown()).not.toContain("tkshare1-");
  });

  test("end with an empty line", async () => {
    const { ask } = typing(one, "");
    expect(await readShares(terminal().context, dealt.escrow, ask)).toHaveLength(1);
  });

  test("are not asked for without a terminal, or where nobody may be asked", async () => {
    const { ask, questions } = typing(one);
    const pipe = terminal({ isTerminal: { stdin: false, stdout: true, stderr: true } }).context;
    const silent = { ...terminal().context, flags: { nonInteractive: true } } as CommandContext;
    for (const context of [pipe, silent]) expect(await readShares(context, dealt.escrow, ask)).toEqual([]);
    expect(questions).toEqual([]);
  });
});

describe("shares that are printed", () => {
  const printed = [one, two].map((text, at) => ({ index: at + 1, holder: `h${at + 1}`, text }));

  test("come one after the other on a terminal, each gone before the next is shown", async () => {
    const { context, shown } = terminal();
    const seen: string[] = [];
    await printShares(context, printed, dealt.escrow, async () => {
      seen.push(shown());
    });
    expect(
      seen.map(
        (screen) =>
          screen
            .split("\u001b[2J\u001b[3J\u001b[H")
            .at(-1)
            ?.match(/tkshare1-/g)?.length ?? 0,
      ),
    ).toEqual([0, 1, 0, 1]);
    expect(shown().endsWith("\u001b[2J\u001b[3J\u001b[H")).toBe(true);
  });

  test("have a page each on their way to a printer, and wait for nobody", async () => {
    const { context, shown } = terminal({ isTerminal: { stdin: true, stdout: false, stderr: true } });
    await printShares(context, printed, dealt.escrow, async () => {
      throw new Error("waited");
    });
    const pages = shown().split("\f");
    expect(pages.map((page) => page.split("\n").at(0))).toEqual(["share 1 of 5, for h1", "share 2 of 5, for h2", ""]);
    expect(pages.map((page) => page.split("\n").at(-2))).toEqual([one, two, undefined]);
  });

  test("say in words above the code what they belong to", async () => {
    const { context, shown } = terminal({ isTerminal: { stdin: true, stdout: false, stderr: true } });
    const [first] = printed;
    await printShares(context, first === undefined ? [] : [first], dealt.escrow);
    const { tenant, keyId, setId, dealtAt, createdAt } = dealt.escrow;
    const words = shown()
      .split("tkshare1-")[0]
      ?.replaceAll(/(?<=[0-9a-f]{4}) (?=[0-9a-f]{4})/g, "");
    for (const word of [tenant, keyId, setId, dealtAt, createdAt, "3 of 5 shares", `escrow-${keyId}.json`])
      expect(words).toContain(word);
  });
});
