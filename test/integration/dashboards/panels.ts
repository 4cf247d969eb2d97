import type pg from "pg";
import { DASHBOARDS } from "../../../modules/grafana/dashboards/index.ts";
import { expandSql, type QueryContext } from "./macros.ts";

/** What a test looks at in a query of a panel. */
export interface Target {
  readonly refId: string;
  readonly datasource: { readonly uid: string };
  readonly format?: string;
  readonly rawSql?: string;
  readonly expr?: string;
}

/** What a test looks at in a panel. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly overrides?: readonly { readonly matcher: { readonly id: string; readonly options: string } }[];
  };
  readonly options?: { readonly reduceOptions?: { readonly fields?: string } };
}

/** A panel, its dashboard, and one of its queries. */
export interface PanelQuery {
  readonly name: string;
  readonly panel: Panel;
  readonly target: Target;
}

/** Every query of every panel. */
export const PANEL_QUERIES: readonly PanelQuery[] = DASHBOARDS.flatMap(({ uid, json }) =>
  (JSON.parse(json).panels as Panel[]).flatMap((panel) =>
    (panel.targets ?? []).map((target) => ({ name: `${uid}: ${panel.title} ${target.refId}`, panel, target })),
  ),
);

/** Queries of the variables, by name. */
export const VARIABLE_QUERIES: ReadonlyMap<string, string> = new Map(
  DASHBOARDS.flatMap(({ json }) => JSON.parse(json).templating?.list ?? []).map((variable) => [
    variable.name,
    variable.query,
  ]),
);

// https://www.postgresql.org/docs/current/catalog-pg-type.html: object ids of built-in types.
const NUMBERS = new Set([20, 21, 23, 700, 701, 1700]);
const TIMESTAMPTZ = 1184;

/** Runs the query of a panel, and gives its rows and what the panel cannot show of them. */
export async function runPanel(
  client: pg.Client,
  { panel, target }: Pick<PanelQuery, "panel" | "target">,
  context: QueryContext,
): Promise<{ readonly rows: readonly Record<string, unknown>[]; readonly faults: readonly string[] }> {
  const { rows, fields } = await client.query(expandSql(target.rawSql ?? "", context));
  const names = fields.map(({ name }) => name);
  const faults: string[] = [];
  const isNumber = (name: string) => fields.some((field) => field.name === name && NUMBERS.has(field.dataTypeID));
  if (new Set(names).size !== names.length) faults.push(`two columns of one name: ${names.join(", ")}`);
  if (panel.type === "timeseries" || panel.type === "state-timeline") {
    const [time] = fields;
    if (time?.name !== "time" || time.dataTypeID !== TIMESTAMPTZ) faults.push("no column time");
    const times = rows.map((row) => row.time as Date);
    if (times.some((at, index) => index > 0 && at < (times[index - 1] as Date))) faults.push("time does not ascend");
  }
  if (panel.type === "timeseries") {
    if (target.format !== "time_series") faults.push(`format ${target.format} in a time series`);
    faults.push(...names.filter((name) => name !== "time" && !isNumber(name)).map((name) => `${name} is no number`));
  }
  if (panel.type === "stat") {
    const wanted = /^\/\^(\w+)\$\/$/.exec(panel.options?.reduceOptions?.fields ?? "")?.[1];
    if (wanted ? !names.includes(wanted) : !names.every(isNumber))
      faults.push(`nothing to show in ${names.join(", ")}`);
  }
  const overrides = (panel.fieldConfig?.overrides ?? []).filter(({ matcher }) => matcher.id === "byName");
  const strangers = overrides.map(({ matcher }) => matcher.options).filter((name) => !names.includes(name));
  faults.push(...strangers.map((name) => `no column ${name}`));
  return { rows, faults };
}
