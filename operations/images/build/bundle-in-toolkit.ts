import { imagesErrors } from "../errors.ts";

/** Stands for the same of `bundle.ts` in the toolkit of a bundle: there are no sources that a module could be made from. */
export async function bundled(_: string, entry: string): Promise<never> {
  const message = `${entry} is not in the toolkit of a bundle: make it in a clone of the project`;
  throw imagesErrors.error("IMAGES_BUNDLE_FAILED", message, { path: entry });
}

/** As {@link bundled}. */
export async function bundle(projectDir: string, entry: string): Promise<never> {
  return bundled(projectDir, entry);
}
