import { verifyModel } from "../../../operations/verify/model/index.ts";
import type { ModelSubject } from "../../../operations/verify/model/subject.ts";
import { profileLines } from "../../../profiles/lines.ts";
import { DEPLOYMENTS, renderedDeployment } from "../rendered.ts";
import type { Weakening, Weakenings } from "./weakening.ts";

const deployment = DEPLOYMENTS["single-host"];
const { model } = renderedDeployment(deployment).subject;
const sound: ModelSubject = { deployment, model, lines: profileLines({ profile: "dev" }) };

function by(change: (subject: ModelSubject) => ModelSubject): Weakening {
  return { sound: () => verifyModel(sound), weakened: () => verifyModel(change(sound)) };
}

const gatewayWithPlaintext = by((subject) => ({
  ...subject,
  model: {
    ...model,
    components: model.components.map((part) => (part.name === "gw-01" ? { ...part, holds: ["plaintext"] } : part)),
  },
}));

/** Weakenings of the layer model. */
export const MODEL_WEAKENINGS: Weakenings = {
  "model.table": gatewayWithPlaintext,
  "model.reachability": gatewayWithPlaintext,
  "model.profile": by((subject) => ({
    ...subject,
    lines: subject.lines.map((line, index) => (index === 0 ? { ...line, value: "everything", kept: false } : line)),
  })),
  "model.components": by((subject) => ({
    ...subject,
    model: { ...model, components: model.components.filter(({ name }) => name !== "shipper") },
  })),
};
