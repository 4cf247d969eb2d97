import type { TerraformProgram } from "../../../stacks/docker/terraform/program.ts";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Needs } from "../subject.ts";

/** The program that would be used, or why there is none. */
export type TerraformFacts = { readonly program: TerraformProgram } | { readonly error: unknown };

const { ok, fromError } = findingsOf("terraform");

/** Looks for OpenTofu or Terraform as `deploy` does. */
export async function gatherTerraform(find: () => Promise<TerraformProgram>): Promise<TerraformFacts> {
  try {
    return { program: await find() };
  } catch (error) {
    return { error };
  }
}

/** Whether OpenTofu or Terraform is there, 1.11 or newer. */
export function judgeTerraform(facts: TerraformFacts, needs: Needs): readonly DoctorFinding[] {
  if ("error" in facts && needs.builds) {
    const missing = fromError("warning", facts.error);
    return [{ ...missing, message: `${missing.message}; the first deploy builds OpenTofu, once, in some minutes` }];
  }
  if ("error" in facts) return [fromError(needs.docker ? "problem" : "warning", facts.error)];
  return [ok(`${facts.program.path} ${facts.program.version}`)];
}
