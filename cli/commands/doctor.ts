import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildModel } from "../../modules/index.ts";
import { examine } from "../../operations/doctor/doctor.ts";
import { CHECKS, type DoctorFinding, type Level } from "../../operations/doctor/finding.ts";
import type { DoctorDeployment } from "../../operations/doctor/subject.ts";
import { thisMachine } from "../../operations/doctor/this-machine.ts";
import { LOCK_FILE } from "../../operations/images/lock-file.ts";
import { EXIT } from "../../shared/errors.ts";
import { runAsOf } from "../../stacks/docker/life/options.ts";
import { dockerPlacement } from "../../stacks/docker/placement.ts";
import { findProgram } from "../../stacks/docker/terraform/program.ts";
import { createDockerCli } from "../../stacks/host/docker-cli.ts";
import { openCluster } from "../../stacks/kubernetes/life/cluster.ts";
import { preflight } from "../../stacks/kubernetes/life/preflight.ts";
import { printJson, type Run } from "../command.ts";
import { type LocatedDeployment, locateDeployment } from "../deployment-file.ts";
import { clusterOptions } from "../kubernetes-target.ts";
import type { Paint } from "../paint.ts";
import { projectFiles, withOwnTofu } from "../project-files.ts";

/** `doctor`: exit code 1 when a problem is there. Changes nothing. */
export const run: Run = async (context) => {
  const { io, flags, paint } = context;
  const located = await locateDeployment(io, flags);
  const docker = createDockerCli(io.env);
  const findings = await examine({
    machine: thisMachine(io.env, io.cancelled),
    docker: (args, call) => docker(args, { signal: io.cancelled, ...call }),
    deployed: deployedOf(located),
    stateDir: located.dir,
    lockFile: join(located.file === undefined ? io.cwd : dirname(located.file), LOCK_FILE),
    modulePaths:
      projectFiles.kind === "clone" ? (createRequire(import.meta.url).resolve.paths("cdktf") ?? []) : undefined,
    runAs: runAsOf(process.getuid?.() ?? 0, process.getgid?.() ?? 0),
    findTerraform: () =>
      findProgram({ env: io.env, signal: io.cancelled, binary: withOwnTofu(io.env).TRUSTKERN_TERRAFORM }),
    lookAtCluster: async () => {
      const { api, plan } = await openCluster(await clusterOptions(context));
      return preflight(api, plan);
    },
    now: io.now,
  });
  const counts = countsOf(findings);
  if (flags.json) printJson(io, { schema: "trustkern.doctor/1", counts, findings });
  else io.stdout(renderReport(findings, counts, paint));
  return counts.problem > 0 ? EXIT.failed : EXIT.done;
};

function deployedOf({ deployment, file }: LocatedDeployment): DoctorDeployment | undefined {
  if (file === undefined) return undefined;
  return { deployment, model: buildModel(deployment, dockerPlacement(deployment)) };
}

type Counts = Readonly<Record<Level, number>>;

function countsOf(findings: readonly DoctorFinding[]): Counts {
  const count = (wanted: Level) => findings.filter(({ level }) => level === wanted).length;
  return { ok: count("ok"), warning: count("warning"), problem: count("problem") };
}

function renderReport(findings: readonly DoctorFinding[], counts: Counts, paint: Paint): string {
  const marks = {
    ok: paint("green", "ok     "),
    warning: paint("yellow", "warning"),
    problem: paint("red", "problem"),
  };
  const groups = CHECKS.map((check) => {
    const lines = findings
      .filter((finding) => finding.check === check)
      .map(({ level, code, message, fix }) => {
        const line = `  ${marks[level]} ${message}`;
        return fix === undefined ? line : `${line} ${paint("dim", `[${code}]`)}\n          fix: ${fix}`;
      });
    return [paint("bold", check), ...lines].join("\n");
  });
  const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;
  return `${groups.join("\n")}\n\n${plural(counts.problem, "problem")}, ${plural(counts.warning, "warning")}\n`;
}
