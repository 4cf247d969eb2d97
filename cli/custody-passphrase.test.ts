import { describe, expect, it } from "vitest";
import { defaultDeployment } from "../profiles/resolve.ts";
import type { AskHidden } from "./ask-hidden.ts";
import type { CommandContext } from "./command.ts";
import { passphraseAsked } from "./custody-passphrase.ts";

const dev = defaultDeployment();
const waiting = { ...dev, profile: "air-gapped" } as const;
const context = (terminal: boolean, nonInteractive = false) => {
  const io = { isTerminal: { stdin: terminal, stderr: terminal }, cancelled: new AbortController().signal };
  return { io, flags: { nonInteractive } } as unknown as CommandContext;
};

/** Answers, one after the other; counts the questions. */
function answering(...answers: string[]) {
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    return answers[questions.length - 1] ?? "";
  };
  return { ask, questions };
}
const asked = (outside: CommandContext, ask: AskHidden, storeIsNew = false) =>
  passphraseAsked(outside, waiting, ask)?.(storeIsNew);

describe("the passphrase of the decryption keys", () => {
  it("is asked for once where the store is there", async () => {
    const { ask, questions } = answering("correct horse");
    expect(Buffer.from((await asked(context(true), ask)) ?? []).toString()).toBe("correct horse");
    expect(questions).toHaveLength(1);
  });

  it("is asked for twice where it makes the store, and has to be the same", async () => {
    const { ask, questions } = answering("correct horse", "correct horse");
    expect(Buffer.from((await asked(context(true), ask, true)) ?? []).toString()).toBe("correct horse");
    expect(questions).toHaveLength(2);
    const thrown = await asked(context(true), answering("correct horse", "corect horse").ask, true)?.catch(
      (error) => error,
    );
    expect(thrown).toMatchObject({ code: "CANCELLED" });
    expect(String(thrown)).not.toMatch(/horse/);
  });

  it.each([
    ["without a terminal", context(false), false],
    ["without a terminal, of a new store", context(false), true],
    ["with --non-interactive", context(true, true), false],
  ])("is asked for nobody %s", async (_, outside, storeIsNew) => {
    const { ask, questions } = answering("correct horse");
    await expect(asked(outside, ask, storeIsNew)).rejects.toMatchObject({ code: "CUSTODY_PASSPHRASE_NEEDED", exit: 3 });
    expect(questions).toEqual([]);
  });

  it.each([false, true])("is not empty (of a new store: %s)", async (storeIsNew) => {
    await expect(asked(context(true), answering("", "").ask, storeIsNew)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it.each([
    ["in profile dev", dev],
    [
      "where a token has the keys",
      {
        ...waiting,
        custody: { ...dev.custody, kind: "pkcs11", module: "/m", token: "t", pinFile: "/p", keyPrefix: "d" },
      },
    ],
  ] as const)("is asked for never %s", (_, deployment) => {
    expect(passphraseAsked(context(true), deployment)).toBeUndefined();
  });
});
