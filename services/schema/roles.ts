import type pg from "pg";
import { messageOf } from "../../shared/errors.ts";
import type { RoleConfig } from "../runtime/postgres/role-config.ts";
import { roleStatements } from "../runtime/postgres/role-statements.ts";
import { scramVerifier, scramVerifierText } from "../runtime/postgres/scram-verifier.ts";
import { schemaErrors } from "./errors.ts";

/** SQLSTATE `undefined_object` (PostgreSQL, appendix A). */
const UNDEFINED_OBJECT = "42704";

/**
 * Brings the extension to the version of the server's image. Must be the first statement of a session: any other loads the
 * version that is there, which then cannot be replaced.
 * @throws SCHEMA_ROLES_FAILED
 */
export async function applyExtension(superuser: pg.Client): Promise<void> {
  try {
    await superuser.query("ALTER EXTENSION timescaledb UPDATE").catch(async (thrown: { code?: unknown }) => {
      if (thrown.code !== UNDEFINED_OBJECT) throw thrown;
      await superuser.query("CREATE EXTENSION timescaledb");
    });
  } catch (cause) {
    throw schemaErrors.error("SCHEMA_ROLES_FAILED", `no extension timescaledb: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Makes the roles that `services/database` makes itself, in one transaction. The server gets verifiers, so that no password
 * can get into its log.
 * @throws SCHEMA_ROLES_FAILED
 */
export async function applyRoles(
  superuser: pg.Client,
  database: string,
  roles: readonly RoleConfig[],
  passwords: ReadonlyMap<string, string>,
): Promise<void> {
  const verifierOf = (name: string) => scramVerifierText(scramVerifier(passwords.get(name) ?? ""));
  try {
    await superuser.query("BEGIN");
    for (const statement of roleStatements(database, roles, verifierOf)) await superuser.query(statement);
    await superuser.query("COMMIT");
  } catch (cause) {
    await superuser.query("ROLLBACK").catch(() => undefined);
    throw schemaErrors.error("SCHEMA_ROLES_FAILED", `cannot make the roles: ${messageOf(cause)}`, { cause });
  }
}
