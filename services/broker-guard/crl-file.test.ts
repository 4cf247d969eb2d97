import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PUBLISH_STEPS, type PublishStep, publishCrlFile } from "./crl-file.ts";

const OLD = "the lists of before\n";
const NEW = "the lists that are to be in force now\n";
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-crl-file-"));
  file = join(folder, "crl.pem");
  writeFileSync(file, OLD);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Publishes, with something done before each step; whatever is not the new text is refused, as torn lists are. */
function publish(onStep: (step: PublishStep) => void = () => undefined, text = NEW): void {
  const verify = (read: string): void => {
    if (read !== NEW) throw new Error(`refused: ${read}`);
  };
  publishCrlFile({ file, text, verify, onStep });
}

describe("a file of revocation lists", () => {
  test("is the new one afterwards, for its owner alone, and nothing is left beside it", () => {
    publish();
    expect(readFileSync(file, "utf8")).toBe(NEW);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  test("is another file, so that whoever has begun to read the old one reads it to its end", () => {
    const reader = openSync(file, "r");
    publish();
    expect(readFileSync(reader, "utf8")).toBe(OLD);
    closeSync(reader);
  });

  test("is the whole old one until the whole new one takes its place", () => {
    const seen: [PublishStep, string][] = [];
    publish((step) => seen.push([step, readFileSync(file, "utf8")]));
    const until = PUBLISH_STEPS.indexOf("rename");
    expect(seen).toEqual(
      PUBLISH_STEPS.slice(0, seen.length).map((step, index) => [step, index <= until ? OLD : NEW] as const),
    );
    expect(seen.map(([step]) => step)).toContain("read-again");
  });
});

describe("the old file stays", () => {
  test("where the new text is refused before it is written", () => {
    expect(() => publish(undefined, NEW.slice(0, 9))).toThrow("refused");
    expect(readFileSync(file, "utf8")).toBe(OLD);
    expect(existsSync(`${file}.new`)).toBe(false);
  });

  test.each([
    ["torn", () => NEW.slice(0, 9)],
    ["empty", () => ""],
    ["another", () => OLD.repeat(2)],
  ])("where what reached the disk is %s", (_, spoilt) => {
    const spoil = (step: PublishStep): void => {
      if (step === "read-back") writeFileSync(`${file}.new`, spoilt());
    };
    expect(() => publish(spoil)).toThrow("refused");
    expect(readFileSync(file, "utf8")).toBe(OLD);
  });

  test("where what reached the disk is gone", () => {
    const spoil = (step: PublishStep): void => {
      if (step === "read-back") rmSync(`${file}.new`);
    };
    expect(() => publish(spoil)).toThrow("ENOENT");
    expect(readFileSync(file, "utf8")).toBe(OLD);
  });
});

test("a file that is spoilt in the moment of its rename is noticed, before anybody is told to read it", () => {
  const spoil = (step: PublishStep): void => {
    if (step === "read-again") writeFileSync(file, NEW.slice(0, 9));
  };
  expect(() => publish(spoil)).toThrow("refused");
});

test("a half of a file that a death left behind is no hindrance", () => {
  writeFileSync(`${file}.new`, NEW.slice(0, 9));
  publish();
  expect(readFileSync(file, "utf8")).toBe(NEW);
});
