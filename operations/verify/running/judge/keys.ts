import { CUSTODY_CLASSES } from "../../../../model/custody.ts";
import type { Deployment } from "../../../../model/deployment.ts";
import { reportedBy } from "../../../../profiles/index.ts";
import { shown } from "../../../../shared/shown.ts";
import type { CheckResult } from "../../result.ts";
import type { Observation } from "../observation.ts";
import { breach, count, resultOf } from "../result.ts";

/** Volumes and folders with plaintext or keys are on encrypted devices; where that is not to be seen, the profile says whether it is only reported. */
export function judgeEncryption(
  { volumes }: Pick<Observation, "volumes">,
  { profile }: Pick<Deployment, "profile">,
): CheckResult {
  const bare = volumes.filter(({ encryption }) => encryption !== "encrypted");
  const findings = bare.map(({ component, path, encryption }) => {
    const why = encryption === "unknown" ? "its disk is not to be seen from here" : "there is no dm-crypt below it";
    const at = component === null ? "host.folders" : `containers.${component}.volumes`;
    return breach("RUNNING_NOT_ENCRYPTED", at, `${shown(path)}: ${why}`);
  });
  const seen = `${count(volumes.length, "place")} with plaintext or keys, ${volumes.length - bare.length} on dm-crypt`;
  const id = "running.encryption";
  if (volumes.length === 0) return { id, outcome: "not-proven", seen: "no volume was looked at", findings: [] };
  if (bare.length === 0) return { id, outcome: "proven", seen, findings: [] };
  const result = { id, outcome: "not-proven", seen, findings } as const;
  return reportedBy(profile).includes(id) ? { ...result, reportOnly: true } : result;
}

/** Custody answers, is unsealed, and is of the kind and class that the deployment names. */
export function judgeCustody(
  { custody }: Pick<Observation, "custody">,
  deployment: Pick<Deployment, "custody">,
): CheckResult {
  const { sealed, kind, custodyClass } = custody;
  const { kind: wanted, leastClass } = deployment.custody;
  const id = "running.custody";
  if (sealed === null)
    return resultOf(id, { looked: "custody's status", findings: [], open: ["custody does not answer"] });
  const path = "containers.custody";
  const ranks: readonly (string | null)[] = CUSTODY_CLASSES;
  const rank = (each: string | null): number => ranks.indexOf(each);
  const tooLow = rank(custodyClass) < 0 || rank(custodyClass) > rank(leastClass);
  const findings = sealed
    ? [breach("RUNNING_CUSTODY", path, "it is sealed")]
    : [
        ...(kind === wanted ? [] : [breach("RUNNING_CUSTODY", path, `it is ${kind ?? "of no kind"}, not ${wanted}`)]),
        ...(tooLow
          ? [
              breach(
                "RUNNING_CUSTODY",
                path,
                `its class is ${custodyClass ?? "not told"}; asked for: ${leastClass} or better`,
              ),
            ]
          : []),
      ];
  const seen = sealed ? "custody is sealed" : `custody is unsealed, ${kind}, class ${custodyClass}`;
  return resultOf(id, { looked: seen, findings });
}
