import { describe, expect, it } from "vitest";
import { renderedErrors } from "../../../stacks/docker/check/errors.ts";
import { DEPLOYMENTS, deployedAs, renderedDeployment } from "../../../test/support/rendered.ts";
import { checksOf } from "../checks.ts";
import type { CheckResult } from "../result.ts";
import { CHECK_OF_CODE } from "./check-of-code.ts";
import type { Deployed } from "./deployed.ts";
import { verifyRendered } from "./index.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with an editor could
type Loose = any;

const { stack, subject } = renderedDeployment(DEPLOYMENTS["single-host"]);
const weakened = (weaken: (stack: Loose) => void): unknown => {
  const copy = structuredClone(stack);
  weaken(copy);
  return copy;
};
const having = (deployed: Partial<Deployed>) => ({ ...subject, deployed: { ...subject.deployed, ...deployed } });
const notProven = (results: readonly CheckResult[]) =>
  results.filter(({ outcome }) => outcome !== "proven").map(({ id, outcome }) => `${id} ${outcome}`);
const box = ({ resource }: Loose, name = "collector") => resource.docker_container[name];
const bind = (source: string) => ({ type: "bind", source, target: "/x", read_only: true });

it.each(Object.entries(DEPLOYMENTS))("proves every check of the stack of %s", (_, deployment) => {
  const good = renderedDeployment(deployment);
  const results = verifyRendered(good.stack, good.subject);
  expect(results.map(({ id }) => id)).toEqual(checksOf("rendered"));
  expect(notProven(results)).toEqual([]);
  expect(results.every(({ seen, findings }) => seen.length > 0 && findings.length === 0)).toBe(true);
});

describe("the codes of a rendered stack", () => {
  it("belong each to one check, and each check but that of the disk has one", () => {
    expect(Object.keys(CHECK_OF_CODE).sort()).toEqual(Object.keys(renderedErrors.entries).sort());
    const checks = checksOf("rendered").filter((id) => id !== "rendered.deployed");
    expect([...new Set<string>(Object.values(CHECK_OF_CODE))].sort()).toEqual([...checks].sort());
  });
});

const WEAKENINGS: readonly (readonly [string, (stack: Loose) => void])[] = [
  ["rendered.networks", (s) => box(s).networks_advanced.pop()],
  ["rendered.ports", (s) => (box(s, "broker").ports[0].ip = "0.0.0.0")],
  ["rendered.mounts", (s) => box(s).mounts.push(bind("/var/run/docker.sock"))],
  ["rendered.rights", (s) => (box(s).privileged = true)],
  ["rendered.secrets", (s) => (box(s).env = ["DB_PASSWORD=hunter2"])],
  ["rendered.images", (s) => (box(s).image = "registry.example/collector:1.0.0")],
  ["rendered.limits", (s) => delete box(s).memory],
  ["rendered.engine", (s) => (s.data = { docker_logs: { x: { name: "custody" } } })],
];

describe.each(WEAKENINGS)("%s", (id, weaken) => {
  it("is broken by what is rendered now", () => {
    const worse = weakened(weaken);
    const results = verifyRendered(worse, { ...subject, deployed: deployedAs(worse, subject.model) });
    expect(notProven(results)).toContain(`${id} broken`);
    expect(results.find((result) => result.id === id)?.findings[0]?.fix).toBeTruthy();
  });

  it("is broken by what was deployed, which names the file", () => {
    const results = verifyRendered(stack, { ...subject, deployed: deployedAs(weakened(weaken), subject.model) });
    expect(notProven(results)).toEqual(expect.arrayContaining([`${id} broken`, "rendered.deployed broken"]));
    const [finding] = results.find((result) => result.id === id)?.findings ?? [];
    expect(finding?.path).toMatch(/^\.trustkern\/terraform\/cdk\.tf\.json: /);
  });
});

it("proves nothing of what it cannot read", () => {
  const results = verifyRendered({ resource: { docker_container: [] } }, subject);
  expect(results.filter(({ outcome }) => outcome === "proven")).toEqual([]);
});

it("breaks the check of images by what does not hold of their lock, whatever the stack names", () => {
  const { stack, subject } = renderedDeployment(DEPLOYMENTS.upstream);
  const unsigned = { code: "IMAGE_UNSIGNED", path: "images.broker", message: "no signature", fix: "lock again" };
  const images = { ...subject.images, findings: [unsigned] };
  const broken = verifyRendered(stack, { ...subject, images }).filter(({ outcome }) => outcome !== "proven");
  expect(broken).toMatchObject([{ id: "rendered.images", outcome: "broken", findings: [unsigned] }]);
});

it("does not take images that no lock names for proven", () => {
  const images = { ...subject.images, images: { ...subject.images.images, custody: { reference: "a/custody:1" } } };
  const unlocked = weakened((s) => (box(s, "custody").image = "a/custody:1"));
  const results = verifyRendered(unlocked, { ...subject, images, deployed: deployedAs(unlocked, subject.model) });
  const [found] = results.filter(({ id }) => id === "rendered.images");
  expect(found).toMatchObject({ outcome: "not-proven", findings: [{ code: "IMAGES_NOT_LOCKED" }] });
  expect(found?.findings[0]?.message).toBe("no digest is locked of custody");
});

describe("what was deployed", () => {
  const deployedResult = (deployed: Partial<Deployed>): CheckResult | undefined =>
    verifyRendered(stack, having(deployed)).find(({ id }) => id === "rendered.deployed");
  const files = (found: Deployed["files"][number]["found"]) =>
    subject.deployed.files.map((file, index) => (index === 0 ? { ...file, found } : file));

  it("is not proven where there is nothing", () => {
    const result = deployedResult({ stack: { absent: "missing" } });
    expect(result).toMatchObject({ outcome: "not-proven", findings: [{ code: "NOT_DEPLOYED" }] });
    expect(result?.findings[0]?.fix).toContain("trustkern deploy");
  });

  it.each<[string, Partial<Deployed>]>([
    ["the stack", { stack: { absent: "unreadable" } }],
    ["a configuration file", { files: files({ absent: "unreadable" }) }],
  ])("is not proven where %s cannot be read", (_, deployed) => {
    expect(deployedResult(deployed)).toMatchObject({
      outcome: "not-proven",
      findings: [{ code: "DEPLOYED_UNREADABLE" }],
    });
  });

  it("is broken by a difference, though another file cannot be read", () => {
    const deployed = { stack: { absent: "unreadable" }, files: files({ text: "" }) } as const;
    expect(deployedResult(deployed)?.outcome).toBe("broken");
  });

  it.each<[string, Deployed["stack"], string]>([
    ["another label", { text: JSON.stringify(weakened((s) => box(s).labels.pop())) }, "collector.labels"],
    ["no JSON", { text: "{" }, "is no JSON"],
    ["spaces", { text: JSON.stringify(stack) }, "spaces"],
    ["a member twice", { text: JSON.stringify(stack).replace("{", '{"resource":{},') }, "twice"],
  ])("is broken by %s in the stack, and says where", (_, left, where) => {
    const result = deployedResult({ stack: left });
    expect(result).toMatchObject({ outcome: "broken", findings: [{ code: "DEPLOYED_STACK_DIFFERS" }] });
    expect(result?.findings[0]?.message).toContain(where);
  });

  it.each<[string, Deployed["files"][number]["found"]]>([
    ["changed", { text: "allow_anonymous true" }],
    ["gone", { absent: "missing" }],
  ])("is broken by a configuration file that is %s", (_, found) => {
    const [first] = subject.deployed.files;
    expect(deployedResult({ files: files(found) })).toMatchObject({
      outcome: "broken",
      findings: [{ code: "DEPLOYED_FILE_DIFFERS", path: first?.path }],
    });
  });

  it("tells no content of a file", () => {
    const found = { text: "hunter2-canary" };
    expect(JSON.stringify(verifyRendered(stack, having({ stack: found, files: files(found) })))).not.toContain(
      "canary",
    );
  });
});
