import { expect, it } from "vitest";
import type { FilesAnswer } from "../inside/programs.ts";
import { filesOf } from "./pod-files.ts";

async function read(answers: readonly FilesAnswer[], maxBytes?: number) {
  const [unread, files]: [string[], string[]] = [[], []];
  let old = 0;
  const heard = {
    onUnread: (what: string) => unread.push(what),
    onOld: () => {
      old += 1;
    },
    nameOf: (path: string) => `here:${path}`,
  };
  const given = async function* (): AsyncIterable<FilesAnswer> {
    yield* answers;
  };
  for await (const { name, content } of filesOf(given(), heard, maxBytes)) {
    const parts: Uint8Array[] = [];
    for await (const part of content as AsyncIterable<Uint8Array>) parts.push(part);
    files.push(`${name}=${Buffer.concat(parts)}`);
  }
  return { unread, files, old };
}
const part = (path: string, text: string, last: boolean): FilesAnswer => ({
  path,
  bytes: Buffer.from(text).toString("base64"),
  last,
});

it("puts the parts of a file together, and files apart", async () => {
  const { files } = await read([part("/a", "one ", false), part("/a", "two", true), part("/b", "", true)]);
  expect(files).toEqual(["here:/a=one two", "here:/b="]);
});

it("tells what is old, and why something was not handed over", async () => {
  const seen = await read([
    { path: "/old", old: true },
    { path: "/kept", why: "EACCES" },
  ]);
  expect(seen).toEqual({ unread: ["/kept: EACCES"], files: [], old: 1 });
});

it("does not take a file that is too large for one that was searched, and goes on behind it", async () => {
  const large = [part("/large", "aaa", false), part("/large", "aaa", true), part("/small", "b", true)];
  const seen = await read(large, 4);
  expect(seen).toMatchObject({ unread: ["/large: it has more than 4 bytes"], files: ["here:/small=b"] });
});
