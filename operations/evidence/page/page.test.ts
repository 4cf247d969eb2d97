import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { renderMermaid } from "../../../model/diagram.ts";
import { EXAMPLE_MODEL } from "../../diagram/example-model.ts";
import { type TestEvidence, testEvidence, testFacts, testVerification } from "../test-evidence.ts";

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(1)'>|[x](javascript:y)\`&`;

let good: TestEvidence;
let hostile: TestEvidence;
beforeAll(async () => {
  good = await testEvidence();
  const facts = testFacts();
  hostile = await testEvidence({
    verification: {
      ...testVerification({
        "model.table": {
          outcome: "broken",
          seen: HOSTILE,
          findings: [{ code: "X_Y", path: HOSTILE, message: HOSTILE, fix: HOSTILE }],
        },
      }),
      deployment: HOSTILE,
    },
    facts: {
      ...facts,
      hosting: { ...facts.hosting, account: HOSTILE },
      profileLines: facts.profileLines.map((line) => ({ ...line, value: HOSTILE })),
      administrators: { ...facts.administrators, grants: [{ to: HOSTILE, operator: "customer" }] },
      certificates: facts.certificates.map((one) => ({ ...one, subject: HOSTILE })),
    },
  });
});

it("draws the boundary in the summary too", () => {
  const [, drawn = ""] = /```mermaid\n([^`]*)```\n/.exec(good.evidence.summary) ?? [];
  expect(drawn).toBe(renderMermaid(EXAMPLE_MODEL));
});

describe("the page", () => {
  it("loads nothing and runs nothing, and says so to the browser", () => {
    const { page } = good.evidence;
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    );
    expect(page).not.toMatch(/<script|<link|<img|<iframe|<object|@import|url\(|\son\w+=|\sstyle="/i);
    expect(page.match(/(?:href|src)="[^#"][^"]*"/g) ?? []).toEqual([]);
  });

  it("shows the picture, every check, every line of the profile, and every component", () => {
    const { page } = good.evidence;
    expect(page.match(/<svg /g)).toHaveLength(1);
    for (const { id } of good.statement.predicate.verification.results) expect(page).toContain(`<code>${id}</code>`);
    for (const { path } of good.statement.predicate.facts.profileLines) expect(page).toContain(`<code>${path}</code>`);
    for (const { name } of EXAMPLE_MODEL.components) {
      expect(page.includes(name.replaceAll("-", "&#45;")), name).toBe(true);
    }
  });

  it("can be read by everybody: a language, headings, captions, and headers of columns and rows", () => {
    const { page } = good.evidence;
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    const tables = page.match(/<table>.*?<\/table>/gs) ?? [];
    expect(tables.length).toBeGreaterThan(12);
    for (const each of tables) {
      expect(each).toContain("<caption>");
      expect(each).toContain('<th scope="col">');
      for (const row of each.match(/<tr>(?!<th scope="col">).*?<\/tr>/gs) ?? []) {
        expect(row).toMatch(/<th scope="row">|>none</);
      }
    }
    expect(page.match(/<h1/g)).toHaveLength(1);
    expect(page).toMatch(/<svg role="img" aria-label="[^"]+"/);
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  it("takes every text for text, in the page and in the summary", () => {
    const { page, summary } = hostile.evidence;
    expect(page).not.toMatch(/<script|<img|onerror='/);
    expect(page).toContain("&#60;script&#62;");
    expect(summary).not.toMatch(/<script|\]\(javascript/);
    const columns = summary
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .map((line) => line.split("|").length);
    expect(new Set(columns)).toEqual(new Set([5]));
  });

  it("makes no address and no name a link or a mention in the summary", async () => {
    const message = "see https://evil.example/pay, WWW.evil.example, mailto:a@evil.example and @everyone";
    const findings = [{ code: "A_B", path: "containers.www.evil.example", message, fix: "ask @somebody" }];
    const verification = testVerification({ "running.components": { outcome: "broken", findings } });
    const { summary } = (await testEvidence({ verification })).evidence;
    expect(summary).toContain("evil.example/pay");
    // Readers look for these after they have read entities.
    const read = summary.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    expect(read).not.toMatch(/[a-z]:\/\/|www\.|@[a-z]/i);
  });

  it("closes what it opens", () => {
    for (const { evidence } of [good, hostile]) {
      for (const tag of [
        "section",
        "table",
        "tbody",
        "thead",
        "tr",
        "td",
        "ul",
        "li",
        "dl",
        "div",
        "figure",
        "main",
        "h2",
        "p",
        "code",
        "svg",
      ]) {
        const count = (pattern: string): number => (evidence.page.match(new RegExp(pattern, "g")) ?? []).length;
        expect(count(`<${tag}[\\s>]`), tag).toBe(count(`</${tag}>`));
      }
    }
  });

  it("is the same bytes for the same evidence", async () => {
    const again = await testEvidence({ signer: good.signer });
    expect(again.evidence.page).toBe(good.evidence.page);
    expect(again.evidence.summary).toBe(good.evidence.summary);
  });

  it("claims no level and no certification, and says what lies outside", () => {
    for (const text of [good.evidence.page, good.evidence.summary]) {
      expect(text).toContain("no certification");
      expect(text).toContain("tamper switches");
      expect(text).toContain("own hardware");
      expect(text).not.toMatch(/\bcertified\b|\bcompliant\b|SL[ -]?[1-4]\b/);
    }
  });
});
