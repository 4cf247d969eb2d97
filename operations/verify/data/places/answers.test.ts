import { describe, expect, it } from "vitest";
import { lokiAnswers, lokiStrays, prometheusAnswers, unscrapedSince } from "./answers.ts";

const SINCE = 1_760_000_000_000;
const line = (nanoseconds: string, text = "a line") => [nanoseconds, text];
const answer = (...values: readonly (readonly string[])[]) =>
  JSON.stringify({ status: "success", data: { resultType: "streams", result: [{ stream: {}, values }] } });

async function read(answers: readonly string[]) {
  const asked: string[] = [];
  const places: { content: unknown; newestMs: number }[] = [];
  const ask = async (_: string, [path = ""]: readonly string[]) => [answers[asked.push(path) - 1] ?? answer()];
  for await (const place of lokiAnswers(ask, SINCE)) places.push(place);
  return { asked, places };
}

describe("Loki", () => {
  it("is asked for every component's lines from the moment on, and says when the newest was written", async () => {
    const { asked, places } = await read([answer(line(`${SINCE}000001`), line(`${SINCE + 5}000000`))]);
    expect(decodeURIComponent(asked[0]!)).toContain('{component=~".+"}');
    expect(asked[0]).toContain(`start=${SINCE}000000`);
    expect(places.map(({ newestMs }) => newestMs)).toEqual([SINCE + 5]);
  });

  it("is asked again where an answer is full, from its newest line on", async () => {
    const full = Array.from({ length: 5_000 }, (_, index) => line(`${SINCE + index}000000`));
    const { asked, places } = await read([answer(...full), answer(line(`${SINCE + 9_000}000000`))]);
    expect(asked[1]).toContain(`start=${SINCE + 4_999}000000`);
    expect(places).toHaveLength(2);
  });

  it("is not believed to have been read where there are more lines than are asked for", async () => {
    const full = answer(...Array.from({ length: 5_000 }, () => line(`${SINCE}000000`)));
    await expect(read(Array.from({ length: 100 }, () => full))).rejects.toThrow(/more than/);
  });

  it.each(["{}", "not found", '{"data":{"result":[{"values":[[1,2]]}]}}'])(
    "is not read where it answers %s",
    async (text) => {
      await expect(read([text])).rejects.toThrow();
    },
  );
});

describe("Loki's streams of no component", () => {
  const strays = async (names: readonly string[] | undefined, answers: readonly string[]) => {
    const asked: string[] = [];
    const ask = async (_: string, paths: readonly string[]) => {
      asked.push(...paths.map(decodeURIComponent));
      return paths[0]?.includes("/labels") ? [JSON.stringify({ status: "success", data: names })] : answers;
    };
    const found: unknown[] = [];
    for await (const { content } of lokiStrays(ask, SINCE)) found.push(content);
    return { asked, found };
  };

  it("are asked for by every other label that there is, and the labels are looked at too", async () => {
    const stray = answer(line(`${SINCE}000001`, "stray"));
    const { asked, found } = await strays(["component", "job", "host"], [answer(), stray]);
    expect(asked[1]).toContain('{component="",job=~".+"}');
    expect(asked[2]).toContain('{component="",host=~".+"}');
    expect(found.slice(1)).toEqual([answer(), stray]);
    expect(found[0]).toContain("host");
  });

  it.each([[undefined], [["component"]]])("are none where the labels are %j", async (names) => {
    expect((await strays(names, [])).asked).toHaveLength(1);
  });

  it("are not believed to have been read where an answer is full, or is none", async () => {
    const full = answer(...Array.from({ length: 5_000 }, () => line(`${SINCE}000000`)));
    await expect(strays(["job"], [full])).rejects.toThrow(/5000 lines or more/);
    await expect(strays(["job"], ["not found"])).rejects.toThrow();
  });
});

describe("Prometheus", () => {
  const targets = (...scrapes: readonly (readonly [job: string, lastScrape: string])[]) =>
    JSON.stringify({
      data: { activeTargets: scrapes.map(([job, lastScrape]) => ({ labels: { job }, lastScrape, health: "up" })) },
    });
  const at = (ms: number) => new Date(ms).toISOString();

  it("has read what it scraped at or after the moment, and nothing else", () => {
    const text = targets(
      ["old", at(SINCE - 1)],
      ["new", at(SINCE)],
      ["never", "0001-01-01T00:00:00Z"],
      ["odd", "soon"],
    );
    expect(unscrapedSince(text, SINCE)).toEqual(["old", "never", "odd"]);
  });

  it("is asked for values as for labels", async () => {
    const asked: string[] = [];
    const ask = async (_: string, paths: readonly string[]) => paths.map((path) => `{"asked":${asked.push(path)}}`);
    for await (const _ of prometheusAnswers(ask));
    expect(asked.map((path) => path.split("?")[0])).toEqual(
      expect.arrayContaining(["/api/v1/query", "/api/v1/series"]),
    );
  });
});
