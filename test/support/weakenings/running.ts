import type { Observation, TlsAttempt } from "../../../operations/verify/running/observation.ts";
import { wellSeen } from "../../../operations/verify/running/test-observation.ts";
import { component, facts, inside, judge, reach, tls } from "../../../operations/verify/running/test-weakenings.ts";
import type { Weakening, Weakenings } from "./weakening.ts";

/** A deployment in which something is gone; each further change is one of its own. */
function by(change: Partial<Observation>, ...also: readonly Partial<Observation>[]): Weakening {
  return { sound: () => judge(), weakened: () => judge(change), also: also.map((each) => () => judge(each)) };
}

/** Where the broker takes one kind of client. */
const taken = (kind: TlsAttempt["shows"]) => tls(({ shows, to }) => shows === kind && to === "broker", {});

const { watch } = wellSeen();
if (!("answer" in watch)) throw new TypeError("the test's host was not watched");
const HEARD = watch.answer;

/** Weakenings of the layer running: what its judges see where the mitigation is gone. */
export const RUNNING_WEAKENINGS: Weakenings = {
  "running.components": by(component("broker", (one) => one, "unhealthy")),
  "running.flows": by(reach(({ flow }) => flow !== undefined, "refused")),
  "running.refused": by(reach(({ from, to }) => from === "collector" && to === "gw-01", "connected")),
  "running.listeners": by(inside("gw-01", { listeners: [{ protocol: "tcp", address: "0.0.0.0", port: 4444 }] })),
  "running.tls.accepted": by(
    tls(({ shows, to }) => shows === "own" && to === "loki", { outcome: "refused", version: "", why: "closed" }),
    tls(({ shows, to }) => shows === "own" && to === "loki", { version: "TLSv1.2" }),
  ),
  "running.tls.refused": by(taken("nothing"), taken("other-root"), taken("other-tenant"), taken("revoked")),
  "running.tls.version": by(tls(({ shows, to }) => shows === "old-version" && to === "loki", { version: "TLSv1.2" })),
  "running.mounts": by(facts("gw-01", { mounts: ["/var/lib/keys at /keys"] })),
  "running.environment": by(facts("gw-01", { environment: ["DB_PASSWORD=hunter2"] })),
  "running.rights": by(facts("gw-01", { rights: ["privileged=true"] }), facts("gw-01", { user: ["0:0"] })),
  "running.images": by(facts("gw-01", { image: ["sha256:another"] })),
  "running.egress": by(
    { watch: { answer: { ...HEARD, left: [{ from: "gw-01", line: "UDP 192.0.2.1" }] } } },
    { resolves: new Map([...wellSeen().resolves, ["gw-01", true]]) },
    { hostReach: wellSeen().hostReach.map((one) => ({ ...one, reached: "connected" })) },
  ),
  "running.encryption": by({ volumes: [{ component: "database", path: "data", encryption: "none seen" }] }),
  "running.custody": by(
    { custody: { sealed: false, kind: "file", custodyClass: null } },
    { custody: { sealed: true, kind: null, custodyClass: null } },
  ),
};
