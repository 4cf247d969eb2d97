import { expect, it } from "vitest";
import type { FrameResponse } from "../../custody/kem-frames.ts";
import type { Question } from "./custody-link.ts";
import { replicationHandlers } from "./replication-service.ts";

const challenge = new Uint8Array(32).fill(3);
const known = "ab".repeat(32);
const keys = [{ keyId: "0011223344556677", wrapped: Uint8Array.of(1) }];
const answer = { statement: "a.b.c", introduction: Uint8Array.of(2), state: "{}", keys };

function asked(response: FrameResponse) {
  const questions: Question[] = [];
  const { state } = replicationHandlers({
    ask: async (question) => {
      questions.push(question);
      return response;
    },
  });
  return {
    questions,
    state: (request: object) => state({ challenge, known, ...request } as Parameters<typeof state>[0]),
  };
}

it("passes a question on, and the answer back, as they are", async () => {
  const { questions, state } = asked({ id: 1, answer });
  expect(await state({})).toEqual(answer);
  expect(questions).toEqual([{ state: { challenge, known } }]);
});

it.each([
  ["a short challenge", { challenge: new Uint8Array(31) }],
  ["a long challenge", { challenge: new Uint8Array(33) }],
  ["no digest", { known: "" }],
  ["a digest in capitals", { known: known.toUpperCase() }],
  ["a digest and more", { known: `${known}0` }],
])("refuses %s before custody sees it", async (_, request) => {
  const { questions, state } = asked({ id: 1, answer });
  await expect(state(request)).rejects.toMatchObject({ code: "CUSTODY_KEM_MALFORMED" });
  expect(questions).toEqual([]);
});

it.each<[string, FrameResponse, string]>([
  ["sealed", { id: 1, error: "sealed" }, "CUSTODY_SEALED"],
  ["no writer", { id: 1, error: "unavailable", code: "CUSTODY_WRITER_CHANGING" }, "CUSTODY_KEM_UNAVAILABLE"],
  ["answering something else", { id: 1, results: new Uint8Array(33) }, "CUSTODY_KEM_UNAVAILABLE"],
  ["answering nothing", { id: 1 }, "CUSTODY_KEM_UNAVAILABLE"],
])("says so of a custody that is %s", async (_, response, code) => {
  await expect(asked(response).state({})).rejects.toMatchObject({ code });
});
