import { describe, expect, it } from "vitest";
import type { Model } from "../../../model/boundary.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { buildModel } from "../../../modules/index.ts";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { layoutOf } from "../../host/layout.ts";
import { STATE_FILE, synthJson } from "../cdktf.ts";
import { dockerPlacement } from "../placement.ts";
import { planContainers } from "../plan.ts";
import { sharedPlaces } from "./host-places.ts";
import { checkRendered } from "./index.ts";
import type { CheckContext, RenderedCode } from "./subject.ts";

// biome-ignore lint/suspicious/noExplicitAny: the weakenings reach into JSON as anybody with an editor could
type Loose = any;

const dev = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const withKeys = (issuing: Deployment["pki"]["issuing"]): Deployment => ({ ...dev, pki: { ...dev.pki, issuing } });
const TOKEN = withKeys({ kind: "pkcs11", module: "/m.so", token: "t", pinFile: "/etc/pin", keyPrefix: "demo" });
const TPM = withKeys({ kind: "tpm2", device: "/dev/tpmrm0", folder: "/k" });
const RAW_TPM = withKeys({ kind: "tpm2", device: "/dev/tpm0", folder: "/k" });
const SIMULATOR = withKeys({ kind: "tpm2", device: "/run/swtpm/sock", folder: "/k" });
const custodyIn = (place: object): Deployment => ({ ...dev, custody: { ...dev.custody, ...place } }) as Deployment;
const CUSTODY_TOKEN = custodyIn({ kind: "pkcs11", module: "/c.so", token: "c", pinFile: "/etc/c", keyPrefix: "demo" });
const CUSTODY_TPM = custodyIn({ kind: "tpm2", device: "/dev/tpmrm0", pcrs: "sha256:7" });
const CUSTODY_RAW_TPM = custodyIn({ kind: "tpm2", device: "/dev/tpm0", pcrs: "sha256:7" });
const CUSTODY_SIMULATOR = custodyIn({ kind: "tpm2", device: "/run/swtpm/sock", pcrs: "sha256:7" });
const ISSUERS = ["gateways-ca", "operators-ca"];
const DEVICE = { host_path: "/dev/tpmrm0", container_path: "/dev/tpmrm0", permissions: "rw" };
const RAW_DEVICE = { ...DEVICE, host_path: "/dev/tpm0", container_path: "/dev/tpm0" };

function rendered(deployment: Deployment): { readonly json: Loose; readonly context: CheckContext } {
  const model = buildModel(deployment, dockerPlacement(deployment));
  const pins = model.components.map(({ image = "" }) => [image, { reference: `r.example/${image}:1.0.0` }] as const);
  const images = { source: deployment.images.source, images: Object.fromEntries(pins) };
  const layout = layoutOf("/srv/trustkern", "/tmp");
  const target = { deployment, layout, runAs: { uid: 10_001, gid: 10_001 }, images };
  const state = { backend: deployment.state, localFile: STATE_FILE };
  return { json: synthJson(planContainers(model, target), state), context: { ...target, model } };
}

const codesOf = ({ json, context }: ReturnType<typeof rendered>) =>
  checkRendered(json, context).map(({ code }) => code);
const box = (stack: Loose, name = "gateways-ca") => stack.resource.docker_container[name];
const KEYS = "/run/trustkern/host.keys";
const keyMount = (stack: Loose, name?: string) => box(stack, name).mounts.find(({ target }: Loose) => target === KEYS);
const bind = (source: string, target = KEYS) => ({ type: "bind", source, target, read_only: true });

describe("a stack whose issuing keys are elsewhere", () => {
  it.each([
    ["on a token", TOKEN],
    ["in a TPM", TPM],
    ["in a simulator", SIMULATOR],
  ])("passes with keys %s", (_, deployment) => {
    expect(codesOf(rendered(deployment))).toEqual([]);
  });

  it.each([
    ["a token", TOKEN, "/run/trustkern-demo"],
    ["a simulator", SIMULATOR, "/run/swtpm"],
  ])("gives the folder of the socket of %s to the two authorities, and to nobody else", (_, deployment, folder) => {
    const { json } = rendered(deployment);
    const names = Object.keys(json.resource.docker_container);
    expect(names.filter((name) => keyMount(json, name))).toEqual(ISSUERS);
    for (const name of ISSUERS) expect(keyMount(json, name)).toEqual(bind(folder));
    expect(names.filter((name) => box(json, name).devices)).toEqual([]);
  });

  it("gives the TPM to the two authorities, and to nobody else", () => {
    const { json } = rendered(TPM);
    const names = Object.keys(json.resource.docker_container);
    expect(names.filter((name) => box(json, name).devices)).toEqual(ISSUERS);
    for (const name of ISSUERS) expect(box(json, name).devices).toEqual([DEVICE]);
    expect(names.filter((name) => keyMount(json, name))).toEqual([]);
  });

  it("has no PIN, and no path of the host's, in what the container is started with", () => {
    const { json } = rendered(TOKEN);
    const { env, entrypoint } = box(json);
    expect(JSON.stringify([env, entrypoint])).not.toMatch(/pin|\/etc\/pin|\/m\.so/i);
  });
});

describe("a stack whose decryption keys are on the host's", () => {
  it.each([
    ["token", CUSTODY_TOKEN, "/run/trustkern-demo-custody"],
    ["simulator of a TPM", CUSTODY_SIMULATOR, "/run/swtpm"],
  ])("%s gives the folder of its socket to custody, and to nobody else", (_, deployment, folder) => {
    expect(codesOf(rendered(deployment))).toEqual([]);
    const { json } = rendered(deployment);
    const names = Object.keys(json.resource.docker_container);
    expect(names.filter((name) => keyMount(json, name))).toEqual(["custody"]);
    expect(keyMount(json, "custody")).toEqual(bind(folder));
    expect(names.filter((name) => box(json, name).devices)).toEqual([]);
  });

  it("TPM gives it to custody, and to nobody else", () => {
    const { json } = rendered(CUSTODY_TPM);
    expect(codesOf(rendered(CUSTODY_TPM))).toEqual([]);
    const names = Object.keys(json.resource.docker_container);
    expect(names.filter((name) => box(json, name).devices)).toEqual(["custody"]);
    expect(box(json, "custody").devices).toEqual([DEVICE]);
  });

  it("token gives custody no network, and no path of the host's in what it is started with", () => {
    const custody = box(rendered(CUSTODY_TOKEN).json, "custody");
    expect(custody.network_mode).toBe("none");
    expect(JSON.stringify([custody.env, custody.entrypoint])).not.toMatch(/\/etc\/c|\/c\.so/);
  });
});

const WEAKENINGS: readonly (readonly [string, Deployment, RenderedCode, (stack: Loose) => void])[] = [
  [
    "no socket",
    TOKEN,
    "RENDERED_MOUNT",
    (s) => (box(s).mounts = box(s).mounts.filter((m: Loose) => m.target !== KEYS)),
  ],
  ["Docker's socket in its place", TOKEN, "RENDERED_MOUNT", (s) => (keyMount(s).source = "/var/run")],
  ["the socket's parent", TOKEN, "RENDERED_MOUNT", (s) => (keyMount(s).source = "/run")],
  ["another deployment's socket", TOKEN, "RENDERED_MOUNT", (s) => (keyMount(s).source = "/run/trustkern-other")],
  ["a path that climbs to it", TOKEN, "RENDERED_MOUNT", (s) => (keyMount(s).source = "/run/x/../trustkern-demo")],
  [
    "the socket beside its folder",
    TOKEN,
    "RENDERED_MOUNT",
    (s) => box(s).mounts.push(bind("/run/trustkern-demo/sock")),
  ],
  ["its folder to write to", TOKEN, "RENDERED_MOUNT_WRITABLE", (s) => (keyMount(s).read_only = false)],
  ["its folder, of which nothing is said", TOKEN, "RENDERED_MOUNT_WRITABLE", (s) => delete keyMount(s).read_only],
  ["it over the secrets", TOKEN, "RENDERED_MOUNT", (s) => (keyMount(s).target = "/run/secrets")],
  ["it twice", TOKEN, "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/run/trustkern-demo", "/x"))],
  ["the token's library", TOKEN, "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/m.so", "/m.so"))],
  ["the file with the PIN", TOKEN, "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/etc/pin", "/etc/pin"))],
  ["it for the backend", TOKEN, "RENDERED_MOUNT", (s) => box(s, "backend").mounts.push(bind("/run/trustkern-demo"))],
  ["it for the broker", TOKEN, "RENDERED_MOUNT", (s) => box(s, "broker").mounts.push(bind("/run/trustkern-demo"))],
  ["a device beside it", TOKEN, "RENDERED_PRIVILEGED", (s) => (box(s).devices = [DEVICE])],
  ["the PIN in a variable", TOKEN, "RENDERED_ENVIRONMENT", (s) => box(s).env.push("PIN=1234")],
  [
    "another server's address",
    TOKEN,
    "RENDERED_ENVIRONMENT",
    (s) => (box(s).env = box(s).env.map((e: string) => e.replace(/^(P11_KIT_SERVER_ADDRESS=).*/, "$1vsock:cid=2"))),
  ],
  ["the image without PKCS #11", TOKEN, "RENDERED_IMAGE", (s) => (box(s).image = "r.example/step-ca:1.0.0")],
  ["no TPM", TPM, "RENDERED_PRIVILEGED", (s) => delete box(s).devices],
  ["another device", TPM, "RENDERED_PRIVILEGED", (s) => (box(s).devices[0].host_path = "/dev/sda")],
  ["a second device", TPM, "RENDERED_PRIVILEGED", (s) => box(s).devices.push({ ...DEVICE, host_path: "/dev/mem" })],
  ["the TPM with mknod", TPM, "RENDERED_PRIVILEGED", (s) => (box(s).devices[0].permissions = "rwm")],
  ["the TPM for the backend", TPM, "RENDERED_PRIVILEGED", (s) => (box(s, "backend").devices = [DEVICE])],
  ["the folder of the TPM's key files", TPM, "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/k", "/k"))],
  ["a token's socket beside the TPM", TPM, "RENDERED_MOUNT", (s) => box(s).mounts.push(bind("/run/trustkern-demo"))],
  [
    "the TPM's simulator for the backend",
    SIMULATOR,
    "RENDERED_MOUNT",
    (s) => box(s, "backend").mounts.push(bind("/run/swtpm")),
  ],
  [
    "custody's token to the broker of its KEM",
    CUSTODY_TOKEN,
    "RENDERED_MOUNT",
    (s) => box(s, "custody-broker").mounts.push(bind("/run/trustkern-demo-custody")),
  ],
  [
    "custody's token to an authority",
    CUSTODY_TOKEN,
    "RENDERED_MOUNT",
    (s) => box(s).mounts.push(bind("/run/trustkern-demo-custody")),
  ],
  [
    "the authorities' token to custody",
    TOKEN,
    "RENDERED_MOUNT",
    (s) => box(s, "custody").mounts.push(bind("/run/trustkern-demo")),
  ],
  [
    "custody its socket's folder to write to",
    CUSTODY_TOKEN,
    "RENDERED_MOUNT_WRITABLE",
    (s) => (keyMount(s, "custody").read_only = false),
  ],
  [
    "custody the image without tpm2-tools",
    CUSTODY_TPM,
    "RENDERED_IMAGE",
    (s) => (box(s, "custody").image = "r.example/custody:1.0.0"),
  ],
  ["custody's TPM to the backend", CUSTODY_TPM, "RENDERED_PRIVILEGED", (s) => (box(s, "backend").devices = [DEVICE])],
  [
    "custody another device",
    CUSTODY_TPM,
    "RENDERED_PRIVILEGED",
    (s) => (box(s, "custody").devices[0].host_path = "/dev/mem"),
  ],
  [
    "the authorities the TPM past the kernel's resource manager",
    RAW_TPM,
    "RENDERED_PRIVILEGED",
    (s) => ISSUERS.map((name) => (box(s, name).devices = [RAW_DEVICE])),
  ],
  [
    "custody the TPM past the kernel's resource manager",
    CUSTODY_RAW_TPM,
    "RENDERED_PRIVILEGED",
    (s) => (box(s, "custody").devices = [RAW_DEVICE]),
  ],
  ["a device in a simulator's place", SIMULATOR, "RENDERED_PRIVILEGED", (s) => (box(s).devices = [DEVICE])],
];

describe("a stack is refused that gives", () => {
  it.each(WEAKENINGS)("%s", (_, deployment, code, weaken) => {
    const { json, context } = rendered(deployment);
    weaken(json);
    expect(checkRendered(json, context).map((finding) => finding.code)).toContain(code);
  });

  it.each<[string, (model: Model) => Model]>([
    ["the deployment's own run folder", (model) => model],
    // Even a model that knows of no listener there has no say about the deployment's own folders.
    [
      "that of a component that is gone",
      (model) => ({ ...model, components: model.components.filter(({ name }) => name !== "custody-broker") }),
    ],
  ])("the online authorities a socket in %s, by the file's own word", (_, change) => {
    for (const tokenSocket of [
      "/srv/trustkern/run/custody.manage/sock",
      "/srv/trustkern/volumes/x/sock",
      "/srv/trustkern/sock",
    ]) {
      const { json, context } = rendered({ ...TOKEN, docker: { ...TOKEN.docker, tokenSocket } });
      const found = checkRendered(json, { ...context, model: change(context.model) });
      expect(found.filter(({ code }) => code === "RENDERED_MOUNT").map(({ path }) => path.split(".")[2])).toEqual(
        expect.arrayContaining(ISSUERS),
      );
    }
  });

  it.each([
    [
      "a token's socket",
      { pki: { ...dev.pki, issuing: { kind: "tpm2", device: "/run/trustkern-demo-custody/sock", folder: "/k" } } },
      CUSTODY_TOKEN,
    ],
    [
      "a token's socket, in the folder above",
      { pki: TOKEN.pki, docker: { ...dev.docker, tokenSocket: "/run/keys/sock", custodySocket: "/run/keys/own/sock" } },
      CUSTODY_TOKEN,
    ],
    ["a simulator", { pki: SIMULATOR.pki }, CUSTODY_SIMULATOR],
    ["a TPM", { pki: TPM.pki }, CUSTODY_TPM],
  ] as [string, Partial<Deployment>, Deployment][])(
    "custody and the online authorities one place: %s",
    (_, issuing, custody) => {
      const deployment = { ...custody, ...issuing };
      expect(() => buildModel(deployment, dockerPlacement(deployment))).toThrow(
        expect.objectContaining({ code: "BOUNDARY_BROKEN" }),
      );
      // And where the model had let it pass, by the stack alone.
      const { json, context } = rendered(custody);
      for (const name of ISSUERS) {
        box(json, name).mounts.push(...box(json, "custody").mounts.filter(({ target }: Loose) => target === KEYS));
        box(json, name).devices = box(json, "custody").devices;
      }
      const places = sharedPlaces(json.resource.docker_container, context.model, context.layout).map(
        ({ path }) => path.split(".")[2],
      );
      expect(places.sort()).toEqual(["custody", ...ISSUERS]);
      expect(codesOf({ json, context })).toEqual(
        expect.arrayContaining([custody === CUSTODY_TPM ? "RENDERED_PRIVILEGED" : "RENDERED_MOUNT"]),
      );
    },
  );

  it("a component the socket by an exception of its own making", () => {
    const { context } = rendered(TOKEN);
    const components = context.model.components.map((component) =>
      component.name === "backend"
        ? {
            ...component,
            exceptions: [
              { what: "keys", reason: "none", grants: ["host-socket:/run/trustkern-demo/sock", "device:/dev/tpmrm0"] },
            ] as const,
          }
        : component,
    );
    const model = { ...context.model, components };
    const json = synthJson(planContainers(model, context), {
      backend: context.deployment.state,
      localFile: STATE_FILE,
    });
    const codes = checkRendered(json, { ...context, model }).map(({ code }) => code);
    expect(codes.sort()).toEqual(["RENDERED_MOUNT", "RENDERED_PRIVILEGED"]);
  });
});
