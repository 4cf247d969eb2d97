import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { commonConfig, loadConfig } from "./config.ts";

const schema = z.strictObject({ ...commonConfig });
const folder = mkdtempSync(join(tmpdir(), "tk-config-"));

function load(text: string): unknown {
  const file = join(folder, "config.json");
  writeFileSync(file, text);
  return loadConfig(file, schema);
}

it("fills in the log level", () => {
  expect(load('{"name":"backend","tenant":"acme","controlSocket":"c"}')).toMatchObject({ logLevel: "info" });
});

it("reports every mistake at once, each with its path", () => {
  const report = (): unknown => load('{"name":"Back End","tenant":"acme","logLevel":"loud","colour":1}');
  expect(report).toThrow(expect.objectContaining({ code: "SERVICE_CONFIG_INVALID" }));
  for (const part of ['"name"', '"controlSocket"', '"logLevel"', '"colour"']) expect(report).toThrow(part);
});

it("refuses a configuration that is not JSON, or not there", () => {
  expect(() => load("{")).toThrow(expect.objectContaining({ code: "SERVICE_CONFIG_UNREADABLE" }));
  expect(() => loadConfig(join(folder, "none"), schema)).toThrow(
    expect.objectContaining({ code: "SERVICE_CONFIG_UNREADABLE", exit: 2 }),
  );
});
