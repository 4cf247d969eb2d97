/** What Grafana knows when it sends a query. */
export interface QueryContext {
  readonly from: Date;
  readonly to: Date;
  /** Length of an interval, at least the panel's own. */
  readonly intervalMs: number;
  /** Values of the dashboard's variables. */
  readonly variables: Readonly<Record<string, string>>;
}

const VARIABLE = /\$\{(\w+)(?::(\w+))?\}|\$(\w+)\b(?!\()/g;
const MACRO = /\$(\w+)\(([^)]*)\)/g;

/**
 * SQL as Grafana's PostgreSQL data source sends it to a TimescaleDB: first variables, then macros, with the rule that `$__timeGroup` before
 * a comma is `$__timeGroupAlias`.
 * @throws for a variable, a format or a macro that Grafana does not know
 */
export function expandSql(sql: string, context: QueryContext): string {
  const expanded = sql.replace(VARIABLE, (_, braced?: string, format?: string, bare?: string) =>
    variable(braced ?? bare ?? "", format, context),
  );
  return expanded.replace(MACRO, (whole, name: string, args: string, at: number) => {
    const old = name === "__timeGroup" && expanded[at + whole.length] === ",";
    const parts = args.split(",").map((part) => part.trim());
    return macro(old ? "__timeGroupAlias" : name, parts, context);
  });
}

function variable(name: string, format: string | undefined, { intervalMs, variables }: QueryContext): string {
  if (name === "__interval_ms") return String(intervalMs);
  if (name === "__interval") return `${intervalMs / 1000}s`;
  const value = variables[name];
  if (value === undefined) throw new Error(`unknown variable ${name}`);
  if (format !== "sqlstring") throw new Error(`the variable ${name} is not quoted`);
  return `'${value.replaceAll("'", "''")}'`;
}

function macro(name: string, [column = "", interval = ""]: readonly string[], { from, to }: QueryContext): string {
  const seconds = Number(/^'(\d+(?:\.\d+)?)s'$/.exec(interval)?.[1]);
  switch (name) {
    case "__timeFilter":
      return `${column} BETWEEN '${from.toISOString()}' AND '${to.toISOString()}'`;
    case "__timeGroup":
    case "__timeGroupAlias":
      if (!(seconds > 0)) throw new Error(`not an interval: ${interval}`);
      return `time_bucket('${seconds.toFixed(3)}s',${column})${name === "__timeGroupAlias" ? ' AS "time"' : ""}`;
    default:
      throw new Error(`unknown macro ${name}`);
  }
}

/** PromQL or LogQL as Grafana sends it. */
export function expandExpr(expr: string, { from, to, intervalMs }: QueryContext): string {
  const known: Readonly<Record<string, string>> = {
    __rate_interval: `${Math.max(intervalMs / 1000, 60)}s`,
    __range: `${(to.getTime() - from.getTime()) / 1000}s`,
  };
  return expr.replace(/\$\{?(\w+)\}?/g, (_, name: string) => {
    const value = known[name];
    if (value === undefined) throw new Error(`unknown variable ${name}`);
    return value;
  });
}
