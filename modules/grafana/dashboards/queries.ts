import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import { DataqueryBuilder as LokiQueryBuilder } from "@grafana/grafana-foundation-sdk/loki";
import { DataqueryBuilder as PrometheusQueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { DATASOURCES } from "../datasources.ts";

/** A query of Grafana's PostgreSQL data source, for which the SDK has no builder. */
interface SqlQuery extends Dataquery {
  readonly refId: string;
  readonly datasource: typeof DATASOURCES.database;
  readonly editorMode: "code";
  readonly rawQuery: true;
  /** `time_series`: a column `time`, ascending, and numbers; `table`: any columns. */
  readonly format: "table" | "time_series";
  readonly rawSql: string;
}

/** SQL with Grafana's macros. `$__timeGroup` is not for a place before a comma, where Grafana reads another macro. */
export function sql(format: SqlQuery["format"], rawSql: string, refId = "A"): Builder<Dataquery> {
  const query: SqlQuery = {
    refId,
    datasource: DATASOURCES.database,
    editorMode: "code",
    rawQuery: true,
    format,
    rawSql: rawSql.replace(/\n\s+/g, "\n").trim(),
    _implementsDataqueryVariant() {},
  };
  return { build: () => query };
}

/** PromQL over the range of the dashboard, with Grafana's variables. */
export function promql(expr: string, legend: string, refId = "A"): Builder<Dataquery> {
  return new PrometheusQueryBuilder()
    .datasource(DATASOURCES.metrics)
    .refId(refId)
    .expr(expr)
    .legendFormat(legend)
    .range();
}

/** PromQL at the end of the range. */
export function promqlNow(expr: string, legend: string, refId = "A"): Builder<Dataquery> {
  return new PrometheusQueryBuilder()
    .datasource(DATASOURCES.metrics)
    .refId(refId)
    .expr(expr)
    .legendFormat(legend)
    .instant();
}

/** LogQL over the range of the dashboard. */
export function logql(expr: string, refId = "A"): Builder<Dataquery> {
  return new LokiQueryBuilder().datasource(DATASOURCES.logs).refId(refId).expr(expr).queryType("range").maxLines(500);
}
