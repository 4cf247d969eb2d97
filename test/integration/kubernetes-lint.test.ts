import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { KUBERNETES_FILES } from "../../stacks/kubernetes/test-deployments.ts";
import { scratch } from "../support/deployment.ts";
import { type Exported, exported } from "../support/exported.ts";
import { Checkov } from "./kubernetes-lint/checkov.ts";
import { KubeScore } from "./kubernetes-lint/kube-score.ts";
import { compare, type Open, readWaivers } from "./kubernetes-lint/waivers.ts";

const LINT_MS = 180_000;

const { external: _, ...OF_ITS_OWN } = KUBERNETES_FILES["customer-tenant"].kubernetes;
const FILES: Readonly<Record<string, object>> = {
  ...KUBERNETES_FILES,
  "customer-tenant without external parts": { ...KUBERNETES_FILES["customer-tenant"], kubernetes: OF_ITS_OWN },
};

const { dir, remove } = scratch("kubernetes-lint");
const [kubeScore, checkov] = [new KubeScore(), new Checkov()];
beforeAll(async () => {
  await kubeScore.start();
  await checkov.start();
}, 1_200_000);
afterAll(remove);

describe("the export", () => {
  const waivers = readWaivers();
  const all: Open[] = [];
  let looked = 0;

  describe.each(Object.entries(FILES))("of %s", (name, file) => {
    let written: Exported;
    const nothingBeyond = (open: readonly Open[]): void => {
      all.push(...open);
      looked += 1;
      expect(compare(open, waivers).beyond).toEqual([]);
    };
    beforeAll(async () => {
      written = await exported(file, join(dir, name), "kubernetes");
      expect(written.files.length).toBeGreaterThan(50);
    });

    it("has nothing open for kube-score beyond the waivers", async () => {
      nothingBeyond(await kubeScore.lint(written));
    });

    it(
      "has nothing open for checkov beyond the waivers",
      async () => {
        nothingBeyond(await checkov.lint(written));
      },
      LINT_MS,
    );
  });

  it("needs each of the waivers", () => {
    expect(looked).toBe(2 * Object.keys(FILES).length);
    expect(compare(all, waivers).unused).toEqual([]);
  });
});

describe("both linters", () => {
  it(
    "find a weakened export, which no waiver covers",
    async () => {
      const written = await exported(KUBERNETES_FILES["eu-hosted"], join(dir, "weakened"), "kubernetes");
      const { folder, files } = written;
      const [workload = ""] = files.filter((file) => file.endsWith("statefulset-broker.yaml"));
      const object = parse(readFileSync(join(folder, workload), "utf8"));
      const [container] = object.spec.template.spec.containers;
      container.securityContext = { privileged: true };
      container.image = "broker:latest";
      delete container.resources;
      delete container.readinessProbe;
      writeFileSync(join(folder, workload), stringify(object));
      const beyond = [await kubeScore.lint(written), await checkov.lint(written)].flatMap(
        (open) => compare(open, readWaivers()).beyond,
      );
      expect(beyond.filter((each) => !each.object.endsWith("broker"))).toEqual([]);
      expect(beyond.map(({ check }) => check)).toEqual(
        expect.arrayContaining([
          ...["pod-probes", "container-resources", "container-image-tag", "container-security-context-privileged"],
          ...["CKV_K8S_9", "CKV_K8S_11", "CKV_K8S_13", "CKV_K8S_16", "CKV_K8S_20", "CKV_K8S_22"],
        ]),
      );
    },
    LINT_MS,
  );

  it.each([
    ["is no YAML", "apiVersion: v1\nkind: [Pod\n"],
    ["holds nothing", ""],
  ])(
    "are no proof where a file %s: they end with an error",
    async (what, text) => {
      const written = await exported(KUBERNETES_FILES["air-gapped"], join(dir, what), "kubernetes");
      writeFileSync(join(written.folder, written.files.at(-1) ?? ""), text);
      await expect(kubeScore.lint(written)).rejects.toThrow();
      await expect(checkov.lint(written)).rejects.toThrow();
    },
    LINT_MS,
  );
});

describe("compare", () => {
  const open = { tool: "checkov", check: "CKV_K8S_1", says: "a", object: "Pod.x" } as const;
  const { object: _object, ...same } = open;
  const waiver = { ...same, reason: "a reason that is long enough" };

  it("takes what is waived, for every object", () => {
    expect(compare([open, { ...open, object: "Pod.y" }], [waiver])).toEqual({ beyond: [], unused: [] });
  });

  it.each([{ tool: "kube-score" as const }, { check: "CKV_K8S_2" }, { says: "b" }])(
    "does not take %o for it",
    (other) => {
      const found = { ...open, ...other };
      expect(compare([found], [waiver])).toEqual({ beyond: [found], unused: [waiver] });
    },
  );

  it("names a waiver that nothing needs", () => {
    expect(compare([], [waiver])).toEqual({ beyond: [], unused: [waiver] });
  });
});
