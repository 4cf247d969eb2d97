import type { Model } from "../../../model/boundary.ts";
import type { Deployment } from "../../../model/deployment.ts";
import type { LineResult } from "../../../profiles/lines.ts";

/** What the model layer looks at. */
export interface ModelSubject {
  readonly deployment: Deployment;
  readonly model: Model;
  /** Every line of the deployment's profile, held against its file. */
  readonly lines: readonly LineResult[];
}
