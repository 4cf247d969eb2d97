import { verifyRendered } from "../../../operations/verify/rendered/index.ts";
import { DEPLOYMENTS, deployedAs, renderedDeployment } from "../rendered.ts";
import type { Weakening, Weakenings } from "./weakening.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with an editor could
type Loose = any;

const { stack, subject } = renderedDeployment(DEPLOYMENTS["single-host"]);
const box = ({ resource }: Loose, name = "collector") => resource.docker_container[name];

/** A stack that was weakened before it was deployed. */
function by(weaken: (stack: Loose) => void): Weakening {
  return {
    sound: () => verifyRendered(stack, subject),
    weakened: () => {
      const worse = structuredClone(stack);
      weaken(worse);
      return verifyRendered(worse, { ...subject, deployed: deployedAs(worse, subject.model) });
    },
  };
}

/** Weakenings of the layer rendered. */
export const RENDERED_WEAKENINGS: Weakenings = {
  "rendered.networks": by((s) => box(s).networks_advanced.pop()),
  "rendered.ports": by((s) => (box(s, "broker").ports[0].ip = "0.0.0.0")),
  "rendered.mounts": by((s) =>
    box(s).mounts.push({ type: "bind", source: "/var/run/docker.sock", target: "/x", read_only: true }),
  ),
  "rendered.rights": by((s) => (box(s).privileged = true)),
  "rendered.secrets": by((s) => (box(s).env = ["DB_PASSWORD=hunter2"])),
  "rendered.images": by((s) => (box(s).image = "registry.example/collector:1.0.0")),
  "rendered.limits": by((s) => delete box(s).memory),
  "rendered.deployed": {
    sound: () => verifyRendered(stack, subject),
    weakened: () => {
      const changed = structuredClone(stack);
      box(changed).memory = 1;
      return verifyRendered(stack, { ...subject, deployed: deployedAs(changed, subject.model) });
    },
  },
};
