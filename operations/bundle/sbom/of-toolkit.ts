import type { BuildContext } from "../../images/build/contents.ts";
import type { PreparedToolkit } from "../toolkit/prepare.ts";
import { RUNTIME_LIBRARIES } from "../toolkit/runtime.ts";
import { debianParts } from "./debian.ts";
import { npmParts } from "./npm.ts";
import { nodePart, toolParts } from "./of-image.ts";
import type { Part } from "./part.ts";

/**
 * What a toolkit is made of, with the programs that lie beside it in the bundle.
 * @throws SBOM_UNKNOWN_PARTS
 */
export async function toolkitParts(context: BuildContext, toolkit: PreparedToolkit): Promise<readonly Part[]> {
  const [packages] = toolkit.layers;
  const libraries = packages === undefined ? [] : await debianParts(packages);
  return [
    ...libraries.filter(({ name }) => RUNTIME_LIBRARIES.includes(name)),
    nodePart(context),
    ...npmParts(toolkit.packages),
    ...(await toolParts(context, ["tofu", "terraform-provider-docker", "unzstd"])),
  ];
}
