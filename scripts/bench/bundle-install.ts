import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClosedHost } from "../../test/support/air-gapped/closed-host.ts";
import { SiteTokens } from "../../test/support/air-gapped/site-tokens.ts";
import { type BundleBench, type Cost, costOf, type Measure, shell } from "./bundle.ts";

/** What the installs are called in the table. */
export const INSTALL = {
  images: "`bundle install`: verify, files and images, until it waits for the ceremony",
  deploy: "`bundle install` after the ceremony: deploy, until every component is well",
  again: "`bundle install` once more: nothing to do",
} as const;

/**
 * `bundle install` where nothing is but a Docker Engine without an image, and once more. The example's file is changed as its README
 * says, with tokens of SoftHSM. Wants root, and what the tests of that example want.
 */
export async function install({ folder, cli, sign, trust }: BundleBench): Promise<readonly Measure[]> {
  const at = (...names: readonly string[]): string => join(folder, ...names);
  const tokens = new SiteTokens(at("custody-token"));
  try {
    writeFileSync(at("site.yaml"), tokens.example());
    await cli("-f", at("site.yaml"), "bundle", "create", "-o", at("install.tkb"), ...sign);
    return await onEmptyHost(async (host) => {
      const words = host.words({ ...host.usual, ...tokens.env });
      const inSite = (command: readonly string[], code?: number): Promise<Cost> => costOf([...words, ...command], code);
      const site = ["--site", at("site")];
      await shell('tar -xOf "$1" start.sh > "$2"', at("install.tkb"), at("start.sh"));
      const start = ["sh", at("start.sh"), at("install.tkb"), "--to", at("tools")];
      await inSite([...start, "bundle", "trust", "install", ...trust, ...site]);
      const command = [at("tools", "trustkern"), "--progress=quiet", "bundle", "install", at("install.tkb"), ...site];
      // There are no keys yet, which is what its exit code says.
      const images = await inSite(command, 4);
      const current = at("site", "current");
      const program = [join(current, "toolkit", "trustkern"), "-f", join(current, "deployment", "trustkern.yaml")];
      const toolkit = [...program, "--dir", at("site", "state")];
      await tokens.serveIssuing();
      await inSite([...toolkit, "certs", "init", "--conductor", "Ada", "--witnesses", "Grace"]);
      await tokens.serveCustody([...words, ...toolkit]);
      const deploy = await inSite(command);
      const again = await inSite(command);
      return [
        { what: INSTALL.images, ...images },
        { what: INSTALL.deploy, ...deploy },
        { what: INSTALL.again, ...again },
      ];
    });
  } finally {
    await tokens.remove();
  }
}

/** How others bring the same images into an engine without one, of the archive and the layout that `dockerArchives` has made. */
export async function loadElsewhere({ folder, references }: BundleBench): Promise<readonly Measure[]> {
  const load = 'zstd --decompress --stdout --quiet "$1" | docker load --quiet';
  const copy =
    'layout=$1; shift; for image; do skopeo copy --quiet --dest-daemon-host "$DOCKER_HOST" "oci:$layout:$(basename "$image")" "docker-daemon:$image" || exit; done';
  const within = (what: string, line: string, ...args: readonly string[]): Promise<Measure> =>
    onEmptyHost(async (host) => {
      const shellThere = [...host.words(host.usual), "bash", "-o", "pipefail", "-c", line, "bash"];
      return { what, ...(await costOf([...shellThere, ...args])) };
    });
  return [
    await within("`docker load` of `docker save \\| zstd`: images alone", load, join(folder, "images.tar.zst")),
    await within("`skopeo copy` out of the OCI layout: images alone", copy, join(folder, "layout"), ...references),
  ];
}

/** Does work with a machine that no cable leaves, whose engine has no image. */
async function onEmptyHost<T>(work: (host: ClosedHost) => Promise<T>): Promise<T> {
  const host = new ClosedHost();
  try {
    await host.start();
    return await work(host);
  } finally {
    await host.remove();
  }
}
