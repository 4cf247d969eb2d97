import { runtimeErrors } from "../errors.ts";
import { readText } from "../tls.ts";
import type { RoleConfig } from "./role-config.ts";

const MIN_PASSWORD_CHARACTERS = 16;

/** Passwords by role name. @throws SERVICE_FILE_UNREADABLE @throws DATABASE_ROLE_SECRET */
export function readPasswords(roles: readonly RoleConfig[]): ReadonlyMap<string, string> {
  return new Map(roles.map(({ name, passwordFile }) => [name, readPassword(passwordFile)]));
}

function readPassword(path: string): string {
  const password = readText(path).trim();
  if (password.length >= MIN_PASSWORD_CHARACTERS) return password;
  const message = `the password of ${password.length} characters is too short; accepted: ${MIN_PASSWORD_CHARACTERS} or more`;
  throw runtimeErrors.error("DATABASE_ROLE_SECRET", message, { path });
}
