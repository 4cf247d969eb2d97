import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { imagesErrors } from "../errors.ts";

const run = promisify(execFile);

/** The Debian release that images are made of. */
export const RELEASE = "bookworm";

/** Its number. */
export const RELEASE_VERSION = "12";

const ASK_APT = ["indextargets", "--format", "$(LABEL) $(REPO_URI)"];

/**
 * The apt sources that packages come from: the mirror that `TRUSTKERN_DEBIAN_MIRROR` names, a URL below which `debian` and
 * `debian-security` are, or else the one that this machine's own packages come from.
 * @throws IMAGES_MIRROR_MISSING where neither is to be had
 */
export async function debianSources(env: NodeJS.ProcessEnv): Promise<string> {
  const { main, security } = await mirrors(env);
  return `deb ${main} ${RELEASE} main
deb ${main} ${RELEASE}-updates main
deb ${main} ${RELEASE}-backports main
deb ${security} ${RELEASE}-security main
`;
}

async function mirrors(env: NodeJS.ProcessEnv): Promise<{ readonly main: string; readonly security: string }> {
  const named = env.TRUSTKERN_DEBIAN_MIRROR?.replace(/\/+$/, "");
  if (named) {
    if (/^https?:\/\/[^\s@]+$/.test(named)) return { main: `${named}/debian`, security: `${named}/debian-security` };
    throw missing(`TRUSTKERN_DEBIAN_MIRROR is "${named}"; accepted: an http or https URL without credentials`);
  }
  // Without apt there is no output, and the message below says what to do.
  const { stdout } = await run("apt-get", ASK_APT, { env }).catch(() => ({ stdout: "" }));
  const uriOf = (label: string): string | undefined =>
    stdout
      .split("\n")
      .map((line) => line.split(" "))
      .find(([first]) => first === label)?.[1];
  const [main, security] = [uriOf("Debian"), uriOf("Debian-Security")];
  if (main !== undefined && security !== undefined) return { main, security };
  throw missing("this machine's apt names no mirror of Debian with its security updates");
}

function missing(message: string): Error {
  return imagesErrors.error("IMAGES_MIRROR_MISSING", message, { path: "TRUSTKERN_DEBIAN_MIRROR" });
}
