import { closeSync, openSync } from "node:fs";
import { z } from "zod";
import type { ControlRoute } from "../runtime/control.ts";
import { parseBody } from "../runtime/parse-body.ts";

const body = z.strictObject({ paths: z.array(z.string().min(1)).max(1000) });

/** What became of one path: the code of the error, or null when this process can open it for reading. */
export interface OpenResult {
  readonly path: string;
  readonly code: string | null;
}

/** `POST /self-test/open {paths}`: tries to open each file for reading, and reads none of them. */
export const selfTestRoute: ControlRoute = {
  method: "POST",
  path: "/self-test/open",
  handler: (input): { readonly results: readonly OpenResult[] } => ({
    results: parseBody(body, input).paths.map((path) => ({ path, code: openCode(path) })),
  }),
};

function openCode(path: string): string | null {
  try {
    closeSync(openSync(path, "r"));
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "UNKNOWN";
  }
}
