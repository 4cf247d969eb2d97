import { expect, it } from "vitest";
import { createBackoff, keepTrying } from "./backoff.ts";

it("doubles the wait up to its bound, and starts again after a success", () => {
  const backoff = createBackoff({ minMs: 100, maxMs: 500 });
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 200, 400, 500]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

it("repeats an attempt until it succeeds and tells each failure", async () => {
  const waits: number[] = [];
  let attempts = 0;
  const attempt = async (): Promise<string> => {
    attempts += 1;
    if (attempts < 3) throw new Error("away");
    return "done";
  };
  const signal = new AbortController().signal;
  const result = await keepTrying(attempt, { minMs: 1, signal, onFailure: (_, waitMs) => waits.push(waitMs) });
  expect(result).toBe("done");
  expect(waits).toEqual([1, 2]);
});

it("stops trying when the signal aborts", async () => {
  const abort = new AbortController();
  const attempt = (): Promise<never> => Promise.reject(new Error("away"));
  const trying = keepTrying(attempt, { signal: abort.signal, onFailure: () => abort.abort() });
  await expect(trying).rejects.toMatchObject({ name: "AbortError" });
});
