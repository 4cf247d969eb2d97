import { resolve } from "node:path";
import { writeOciLayout } from "../../operations/bundle/format/oci-layout.ts";
import { openBundle } from "../../operations/bundle/format/read.ts";
import { decideTrust } from "../../operations/bundle/trust/decide.ts";
import { EXIT } from "../../shared/errors.ts";
import { trustIn } from "../bundle-trust-in.ts";
import { bytesView } from "../bytes-view.ts";
import { printJson, type Run } from "../command.ts";
import { cliErrors } from "../errors.ts";

/** `bundle extract FILE --oci FOLDER`: verifies as `bundle verify` does, and then writes the images as one OCI image layout. */
export const run: Run = async (context) => {
  const { io, flags, args, options } = context;
  const [name = ""] = args;
  if (typeof options.oci !== "string") {
    throw cliErrors.error("CLI_USAGE", "no folder is named that the images are written to", { path: "--oci" });
  }
  const folder = resolve(io.cwd, options.oci);
  const bundle = await openBundle(resolve(io.cwd, name));
  const view = bytesView(context);
  const watched = { signal: io.cancelled, onProgress: view.onBytes };
  try {
    const { by: _, ...trust } = trustIn(context, bundle);
    const { warnings } = decideTrust({ ...bundle, ...trust, now: io.now() });
    view.begin("verifying");
    await bundle.verifyBytes(watched);
    view.begin("writing");
    const digests = await writeOciLayout(bundle, folder, watched);
    view.stop();
    for (const { message } of warnings) io.stderr(`warning: ${message}\n`);
    const images = [...digests].map(([reference, digest]) => ({ reference, digest }));
    if (flags.json) printJson(io, { schema: "trustkern.bundle-extract/1", folder, images });
    else io.stdout(images.map(({ reference, digest }) => `${reference} ${digest}\n`).join(""));
    return EXIT.done;
  } finally {
    view.stop();
    await bundle.close();
  }
};
