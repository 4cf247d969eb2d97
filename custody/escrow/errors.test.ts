import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { escrowErrors } from "./errors.ts";

const GUIDE = new URL("../../docs/guides/custody-ceremony.md", import.meta.url);
const rows = readFileSync(GUIDE, "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `CUSTODY_"));

test.each(Object.entries(escrowErrors.entries))("the guide has %s with its exit code", (code, { exit }) => {
  const row = rows.find((line) => line.includes(`\`${code}\``)) ?? "";
  expect(row.split("|").at(2)?.trim()).toBe(String(exit));
});
