import type { RoleConfig } from "../runtime/postgres/role-config.ts";
import { roleStatements } from "../runtime/postgres/role-statements.ts";
import type { Engine } from "./engine.ts";

/** Makes the roles of the configuration; run by the superuser. Gives all object ids by role name. */
export async function applyRoles(
  engine: Pick<Engine, "query">,
  database: string,
  roles: readonly RoleConfig[],
): Promise<ReadonlyMap<string, number>> {
  for (const statement of roleStatements(database, roles)) await engine.query(statement);
  const rows = await engine.query("SELECT rolname, oid FROM pg_roles");
  return new Map(rows.map(([name, oid]) => [name ?? "", Number(oid)]));
}
