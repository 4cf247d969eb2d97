import { join } from "node:path";
import { z } from "zod";
import { type DoctorFinding, findingsOf } from "../finding.ts";
import type { Machine } from "../machine.ts";
import type { Needs } from "../subject.ts";

const manifest = z.object({ name: z.string(), version: z.string() });

/** A package as it is installed under one of the two names. */
export interface InstalledCdk {
  readonly folder: string;
  /** Name under which it is imported. */
  readonly importedAs: "cdktf" | "cdktn";
  /** `name@version` of what really lies there: an alias has another name. */
  readonly is: string;
}

const { ok, bad } = findingsOf("cdk");

/** Every `cdktf` and `cdktn` that an import of this program could find. */
export function gatherCdk({ readText }: Machine, modulePaths: readonly string[]): readonly InstalledCdk[] {
  return modulePaths.flatMap((folder) =>
    (["cdktf", "cdktn"] as const).flatMap((importedAs) => {
      const text = readText(join(folder, importedAs, "package.json"));
      if (text === undefined) return [];
      const { name, version } = manifest.parse(JSON.parse(text));
      return [{ folder, importedAs, is: `${name}@${version}` }];
    }),
  );
}

/** Of a program that was made with its libraries in it. */
export function builtInCdk(): readonly DoctorFinding[] {
  return [ok("the construct library is part of this program")];
}

/** Whether there is one construct library, and one alone. */
export function judgeCdk(installed: readonly InstalledCdk[], needs: Needs): readonly DoctorFinding[] {
  const own = installed.find(({ importedAs }) => importedAs === "cdktf");
  if (own === undefined) {
    return [bad(needs.docker ? "problem" : "warning", "DOCTOR_CDK_MISSING", "no cdktf is installed")];
  }
  const other = installed.find(({ importedAs, is }) => importedAs === "cdktn" && is !== own.is);
  if (other === undefined) return [ok(`${own.is}, and no other construct library`)];
  const message = `${own.is} is in "${own.folder}", and ${other.is} in "${other.folder}"`;
  return [bad("warning", "DOCTOR_CDK_TWO", message)];
}
