import type { V1Node, V1PodSpec, V1ResourceQuota } from "@kubernetes/client-node";
import type { Finding } from "../../../shared/finding.ts";
import type { KubernetesPlan } from "../plan.ts";
import { quantityOf } from "../quantities.ts";
import type { LiveObject } from "./api.ts";

/** What a deployment asks for at most, by the names that quotas have for it. */
export function askedFor({ objects, pods }: Pick<KubernetesPlan, "objects" | "pods">): ReadonlyMap<string, number> {
  const asked = new Map<string, number>();
  const add = (name: string, amount: number) => asked.set(name, (asked.get(name) ?? 0) + amount);
  for (const object of objects) {
    const { spec } = object as {
      readonly spec?: {
        readonly template?: { readonly spec?: V1PodSpec };
        readonly volumeClaimTemplates?: readonly {
          spec?: { resources?: { requests?: Readonly<Record<string, string>> } };
        }[];
      };
    };
    const containers = spec?.template?.spec?.containers;
    if (containers === undefined) continue;
    const times = pods.find(({ name }) => object.metadata.name === name)?.maxReplicas ?? 1;
    add("pods", times);
    for (const { resources } of containers) {
      for (const kind of ["requests", "limits"] as const) {
        for (const name of ["cpu", "memory"] as const) {
          const amount = times * quantityOf(resources?.[kind]?.[name] ?? "0");
          add(`${kind}.${name}`, amount);
          if (kind === "requests") add(name, amount);
        }
      }
    }
    for (const claim of spec?.volumeClaimTemplates ?? []) {
      add("persistentvolumeclaims", times);
      add("requests.storage", times * quantityOf(claim.spec?.resources?.requests?.storage ?? "0"));
    }
  }
  return asked;
}

/** Where a quota of the namespace has less than the whole deployment asks for. */
export function quotaFindings(quotas: readonly LiveObject[], plan: KubernetesPlan): readonly Finding[] {
  const asked = askedFor(plan);
  return quotas.flatMap((quota) => {
    const { spec } = quota as unknown as V1ResourceQuota;
    return Object.entries(spec?.hard ?? {}).flatMap(([name, hard]) => {
      const needs = asked.get(name);
      if (needs === undefined || needs <= quantityOf(hard)) return [];
      const message = `the deployment asks for ${readable(name, needs)} of ${name}, and the quota has ${hard}`;
      return [finding(`resourcequotas.${quota.metadata.name}.${name}`, message, "raise the quota")];
    });
  });
}

/** Where all nodes together have less than the deployment asks for. */
export function roomFindings(nodes: readonly LiveObject[], plan: KubernetesPlan): readonly Finding[] {
  const asked = askedFor(plan);
  return (["cpu", "memory"] as const).flatMap((name) => {
    const has = nodes
      .map((node) => (node as unknown as V1Node).status?.allocatable?.[name] ?? "0")
      .reduce((sum, amount) => sum + quantityOf(amount), 0);
    const needs = asked.get(name) ?? 0;
    if (needs <= has) return [];
    const message = `the deployment asks for ${readable(name, needs)} of ${name}, and all nodes together have ${readable(name, has)}`;
    return [finding(`nodes.${name}`, message, "add a node")];
  });
}

function readable(name: string, amount: number): string {
  return /memory|storage/.test(name) ? `${Math.ceil(amount / 2 ** 20)}Mi` : String(Math.round(amount * 1_000) / 1_000);
}

function finding(path: string, message: string, fix: string): Finding {
  return { code: "CLUSTER_QUOTA", path, message, fix };
}
