import { describe, expect, it } from "vitest";
import { DATASOURCES } from "../datasources.ts";
import { fleetOverview } from "./fleet-overview.ts";
import { DASHBOARDS, HOME_DASHBOARD } from "./index.ts";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly datasource: { readonly uid: string };
    readonly rawSql?: string;
  }[];
  readonly fieldConfig?: { readonly defaults: { readonly noValue?: string; readonly unit?: string } };
}
interface Dashboard {
  readonly uid: string;
  readonly editable: boolean;
  readonly panels: readonly Panel[];
  readonly templating?: {
    readonly list?: readonly { readonly name: string; readonly datasource: { readonly uid: string } }[];
  };
}

const PROVISIONED = Object.values(DATASOURCES).map(({ uid }) => uid as string);
const parsed = DASHBOARDS.map(({ uid, json }) => [uid, JSON.parse(json) as Dashboard, json] as const);

/** Data sources that a dashboard names, and that are not provisioned. */
function strangers({ panels, templating }: Dashboard): readonly string[] {
  const named = [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ datasource }) => datasource.uid)),
    ...panels.flatMap(({ datasource }) => (datasource ? [datasource.uid] : [])),
    ...(templating?.list ?? []).map(({ datasource }) => datasource.uid),
  ];
  return named.filter((uid) => !PROVISIONED.includes(uid));
}

/** Pairs of panels that lie over each other. */
function overlaps(panels: readonly Panel[]): readonly string[] {
  return panels.flatMap(({ title, gridPos: a }, index) =>
    panels
      .slice(index + 1)
      .filter(({ gridPos: b }) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h)
      .map((other) => `${title} and ${other.title}`),
  );
}

it("begins with the fleet", () => {
  expect(DASHBOARDS.map(({ uid }) => uid)).toContain(HOME_DASHBOARD);
  expect(HOME_DASHBOARD).toBe("trustkern-fleet-overview");
});

it("gives the same bytes each time", () => {
  expect(JSON.stringify(fleetOverview().build())).toBe(JSON.stringify(fleetOverview().build()));
});

it("finds a data source that is not provisioned, and panels over each other", () => {
  const [, dashboard] = parsed[0]!;
  const [panel] = dashboard.panels;
  const foreign = { ...panel!, datasource: { uid: "elsewhere" } };
  expect(strangers({ ...dashboard, panels: [foreign] })).toEqual(["elsewhere"]);
  expect(overlaps([panel!, panel!])).toHaveLength(1);
});

describe.each(parsed)("%s", (_, dashboard, json) => {
  const panels = dashboard.panels.filter(({ type }) => type !== "row");

  it("names only data sources that are provisioned", () => {
    expect(strangers(dashboard)).toEqual([]);
  });

  it("cannot be changed in the browser", () => {
    expect(dashboard.editable).toBe(false);
  });

  it("fills whole lines of 24 columns without an overlap", () => {
    expect(overlaps(dashboard.panels)).toEqual([]);
    const filled = new Map<number, number>();
    for (const { gridPos } of dashboard.panels) filled.set(gridPos.y, (filled.get(gridPos.y) ?? 0) + gridPos.w);
    expect([...filled.values()].filter((width) => width !== 24)).toEqual([]);
  });

  it("says of each panel what it shows, and what an empty one means", () => {
    const mute = panels.filter(
      ({ title, description, fieldConfig }) => !(title && description && fieldConfig?.defaults.noValue),
    );
    expect(mute.map(({ title }) => title)).toEqual([]);
  });

  it("numbers its panels, and the queries of each", () => {
    expect(dashboard.panels.map(({ id }) => id)).toEqual(dashboard.panels.map((_panel, index) => index + 1));
    for (const { targets = [] } of panels) expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  });

  it("has a unit for each line and each number", () => {
    const drawn = panels.filter(({ type }) => type === "timeseries" || type === "stat");
    expect(drawn.filter(({ fieldConfig }) => !fieldConfig?.defaults.unit).map(({ title }) => title)).toEqual([]);
  });

  it("only reads, and bounds what it reads by the time or by a number of rows", () => {
    const queries = panels.flatMap(({ targets = [] }) => targets.flatMap(({ rawSql }) => rawSql ?? []));
    expect(queries.filter((query) => !/^(SELECT|WITH) /.test(query) || query.includes(";"))).toEqual([]);
    const large = queries.filter((query) => /FROM (telemetry|quarantine|security_event)/.test(query));
    expect(large.filter((query) => !query.includes("$__timeFilter("))).toEqual([]);
  });

  it("links only to dashboards that there are", () => {
    const targets = [...json.matchAll(/\/d\/([\w-]+)/g)].map(([, uid]) => uid);
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((uid) => !DASHBOARDS.some((each) => each.uid === uid))).toEqual([]);
  });
});
