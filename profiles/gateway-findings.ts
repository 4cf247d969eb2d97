import type { Finding } from "../shared/finding.ts";
import { profileOf } from "./index.ts";
import { shown } from "./schema-findings.ts";
import { valueAt } from "./value-at.ts";
import type { YamlSource } from "./yaml-source.ts";

const ELSEWHERE = "gatewaysElsewhere";

/** A gateway that is said to be here and elsewhere: two with one name would put each other out at the broker. */
export function gatewayFindings(source: YamlSource): readonly Finding[] {
  const profile = profileOf(source.value);
  const here = valueAt(source.value, ["gateways"]) ?? profile?.defaults.gateways ?? ["gw-01"];
  const elsewhere = valueAt(source.value, [ELSEWHERE]);
  if (!Array.isArray(here) || !Array.isArray(elsewhere)) return [];
  return elsewhere.flatMap((name: unknown, index) => {
    if (!here.includes(name)) return [];
    const path = [ELSEWHERE, index];
    const message = `${shown(name)} is among gateways, which run here`;
    const fix = `take it out of gateways or of ${ELSEWHERE}`;
    return [{ code: "CONFIG_VALUE", path: path.join("."), message, fix, ...source.valueAt(path) }];
  });
}
