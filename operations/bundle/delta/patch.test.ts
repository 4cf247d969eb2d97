import { expect, it } from "vitest";
import { applyPatch, makePatch } from "./patch.ts";
import { noise } from "./test-delta.ts";

const old = noise("old", 300_000);

it("finds old bytes however far back they lie, and gives the new ones", async () => {
  const bytes = Buffer.concat([old.subarray(10, 60_000), Buffer.from("new"), old.subarray(200_000)]);
  const patch = await makePatch(old, bytes);
  expect(patch.length).toBeLessThan(200);
  expect((await applyPatch(old, patch, bytes.length)).equals(bytes)).toBe(true);
});

it("stops unpacking where more comes out than was said", async () => {
  const patch = await makePatch(old, Buffer.alloc(50_000_000));
  // Not handed to expect as it is: it would print all of what was unpacked.
  const came = await applyPatch(old, patch, 1_000).then(
    ({ length }) => length,
    ({ code }) => code,
  );
  expect(came).toBe("ERR_BUFFER_TOO_LARGE");
});

it("gives nothing to who has other old bytes than those", async () => {
  const patch = await makePatch(old, old);
  const given = await applyPatch(noise("other", 300_000), patch, old.length).catch(() => undefined);
  expect(given?.equals(old)).not.toBe(true);
});
