import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildModel } from "../../../modules/index.ts";
import { parseDeploymentYaml } from "../../../profiles/parse.ts";
import { dockerPlacement } from "../../../stacks/docker/placement.ts";
import { leftBehind } from "../install/site.ts";
import { TestSite, testBundle } from "../install/test-site.ts";
import { restoreBackup } from "./backup.ts";
import { carryForward, FORWARD_ONLY, REGISTRY } from "./forward.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tk-forward-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (...at: readonly [...string[], string]): void => {
  const file = join(...at.slice(0, -1));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, at.at(-1) ?? "");
};

/** One of each entry of the list, said once more: an entry that somebody takes off goes back with the rows. */
const FORWARD_FILES = [
  "authorities/crls/services.pem",
  "custody/journal.ndjson",
  "logs/security.ndjson",
  "secrets/backend/admin-token",
  "trust/allowlist.pub",
  "volumes/custody/keys/11.key",
  "volumes/gateways-ca/db/step-ca.db",
  "volumes/operators-ca/db/step-ca.db",
  "volumes/backend/state/ledger.ndjson",
  "volumes/backend/state/ledger.head",
  "volumes/broker/state/crl.pem",
  "volumes/broker/state/trust.json",
  "volumes/collector/state/allowlist.json",
];

describe("what goes forward only", () => {
  it("is said of every volume of a deployment: a new one asks for a decision here", () => {
    const example = join(import.meta.dirname, "../../../examples/air-gapped/trustkern.yaml");
    const deployment = parseDeploymentYaml(readFileSync(example, "utf8"), example);
    const model = buildModel(deployment, dockerPlacement(deployment));
    const volumes = model.components.flatMap(({ name, volumes }) =>
      volumes.map((one) => `volumes/${name}/${one.name}`),
    );
    const whole = volumes.filter((path) => FORWARD_ONLY.some((one) => path === one || path.startsWith(`${one}/`)));
    const partly = volumes.filter((path) => [...FORWARD_ONLY, REGISTRY].some((one) => one.startsWith(`${path}/`)));
    const goesBack = ["database", "gw-line-1", "gw-line-2", "loki", "prometheus", "shipper", "simulator"];
    expect(whole.map((path) => path.split("/")[1])).toEqual(
      expect.arrayContaining(["custody", "gateways-ca", "operators-ca"]),
    );
    expect(partly.map((path) => path.split("/")[1]).sort()).toEqual(["backend", "broker", "collector"]);
    const rest = volumes.filter((path) => !whole.includes(path) && !partly.includes(path));
    expect(rest.filter((path) => !goesBack.includes(path.split("/")[1] ?? "") && !path.includes("/gw-"))).toEqual([]);
  });

  it("replaces what the copy has, and keeps nothing of it", () => {
    const [state, copy] = [join(folder, "state"), join(folder, "copy")];
    put(copy, "volumes/custody/keys/00destroyed.key", "old");
    put(state, "volumes/custody/keys/11made.key", "new");
    put(copy, "authorities/crls/root.pem", "number 1");
    put(state, "authorities/crls/root.pem", "number 9");
    put(state, "volumes/gateways-ca/db/step-ca.db", "revoked");
    carryForward(state, copy);
    expect(readdirSync(join(copy, "volumes/custody/keys"))).toEqual(["11made.key"]);
    expect(readFileSync(join(copy, "authorities/crls/root.pem"), "utf8")).toBe("number 9");
    expect(readFileSync(join(copy, "volumes/gateways-ca/db/step-ca.db"), "utf8")).toBe("revoked");
    expect(existsSync(join(state, "volumes/custody"))).toBe(false);
  });

  it.each(FORWARD_FILES)("has %s as it is now, while rows are as they were", (file) => {
    const [state, copy] = [join(folder, "state"), join(folder, "copy")];
    for (const [where, said] of [
      [copy, "then"],
      [state, "now"],
    ] as const) {
      for (const path of [file, "volumes/database/data/rows", "volumes/broker/state/sessions"]) put(where, path, said);
    }
    carryForward(state, copy);
    expect(readFileSync(join(copy, file), "utf8")).toBe("now");
    for (const path of ["database/data/rows", "broker/state/sessions"])
      expect(readFileSync(join(copy, "volumes", path), "utf8")).toBe("then");
    expect(existsSync(join(state, file))).toBe(false);
  });

  it("has a file in that test for each of its entries, and no two for one", () => {
    const entryOf = (file: string) => FORWARD_ONLY.find((one) => file === one || file.startsWith(`${one}/`));
    expect(FORWARD_FILES.map(entryOf).sort()).toEqual([...FORWARD_ONLY].sort());
  });

  it("keeps of the copy what the state has lost, and rows as they were", () => {
    const [state, copy] = [join(folder, "state"), join(folder, "copy")];
    put(copy, "volumes/custody/keys/11made.key", "old");
    put(copy, "volumes/database/data/rows", "1");
    put(state, "volumes/database/data/rows", "2");
    carryForward(state, copy);
    carryForward(state, copy);
    expect(readFileSync(join(copy, "volumes/custody/keys/11made.key"), "utf8")).toBe("old");
    expect(readFileSync(join(copy, "volumes/database/data/rows"), "utf8")).toBe("1");
  });
});

describe("a way back", () => {
  let at: TestSite;
  beforeEach(async () => {
    at = new TestSite();
    await at.bring("install", testBundle(1));
    put(at.site.stateDir, "volumes/custody/keys/00old.key", "destroyed later");
    put(at.site.stateDir, "authorities/ledger.ndjson", "1\n");
    await at.bring("upgrade", testBundle(2));
    rmSync(join(at.site.stateDir, "volumes/custody/keys/00old.key"));
    put(at.site.stateDir, "volumes/custody/keys/11new.key", "rotated");
    put(at.site.stateDir, "authorities/ledger.ndjson", "1\n2 revoked\n");
  });
  afterEach(() => at.remove());

  const expectForward = (): void => {
    const { stateDir, backupDir } = at.site;
    expect(at.rows()).toBe("1\n");
    expect(readdirSync(join(stateDir, "volumes/custody/keys"))).toEqual(["11new.key"]);
    expect(readFileSync(join(stateDir, "authorities/ledger.ndjson"), "utf8")).toBe("1\n2 revoked\n");
    const everywhere = readdirSync(backupDir, { recursive: true }).map(String);
    expect(everywhere.filter((name) => name.endsWith(".key"))).toEqual([]);
  };

  it("brings rows back, and neither a destroyed key nor an older ledger; no copy of a key is left", async () => {
    await at.back();
    expectForward();
    expect(readFileSync(join(leftBehind(at.site, 3), "volumes/database/rows"), "utf8")).toBe("1\n2\n");
  });

  it("does so by itself where an upgrade fails", async () => {
    await at.back();
    at.failing.add(2);
    const { toolkit } = at.asked();
    const revoking = {
      ...toolkit,
      deploy: async (...args: Parameters<typeof toolkit.deploy>) => {
        if (args[0].endsWith("/2")) put(at.site.stateDir, "authorities/ledger.ndjson", "1\n2 revoked\n3 revoked\n");
        await toolkit.deploy(...args);
      },
    };
    await expect(at.bring("upgrade", testBundle(2), { toolkit: revoking })).rejects.toMatchObject({
      code: "BUNDLE_UPGRADE_UNDONE",
    });
    expect(readFileSync(join(at.site.stateDir, "authorities/ledger.ndjson"), "utf8")).toBe("1\n2 revoked\n3 revoked\n");
  });

  it("goes on where it was cut between what it carries", () => {
    const copy = join(at.site.backupDir, "1");
    rmSync(join(copy, "authorities"), { recursive: true });
    put(copy, "authorities/ledger.ndjson", "1\n2 revoked\n");
    rmSync(join(at.site.stateDir, "authorities"), { recursive: true });
    restoreBackup(at.site, 1, 3);
    expectForward();
  });

  it("stops, and puts nothing back, where the registry cannot be carried", async () => {
    put(at.site.stateDir, REGISTRY, "no database");
    put(at.site.backupDir, "1", REGISTRY, "");
    await expect(at.back()).rejects.toMatchObject({
      code: "BUNDLE_WAY_BACK_STOPPED",
      message: expect.stringContaining("cannot be carried over"),
    });
    expect(at.rows()).toBe("1\n2\n");
    rmSync(join(at.site.stateDir, REGISTRY));
    expect(await at.back()).toMatchObject({ version: 1, resumed: true });
    expectForward();
  });
});
