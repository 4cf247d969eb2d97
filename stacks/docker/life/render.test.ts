import { tmpdir } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { resolveDeployment } from "../../../profiles/resolve.ts";
import { renderDocker } from "./render.ts";

const weakened = vi.hoisted(() => ({ by: (_: never): void => undefined }));

// The rendering with a fault in it: what the check is there for.
vi.mock("../cdktf.ts", async (original) => {
  const { synthJson, ...rest } = await original<typeof import("../cdktf.ts")>();
  return {
    ...rest,
    synthJson: (...args: Parameters<typeof synthJson>) => {
      const stack = synthJson(...args) as never;
      weakened.by(stack);
      return stack;
    },
  };
});

const deployment = resolveDeployment({ name: "demo", tenant: "acme", profile: "dev", engine: "docker" });
const names =
  "backend broker collector custody custody-broker database gateway grafana loki prometheus schema shipper simulator step-ca";
const images = {
  source: "registry",
  images: Object.fromEntries(names.split(" ").map((name) => [name, { reference: `some/${name}:1.0.0` }])),
} as const;
const render = () =>
  renderDocker({ deployment, dir: "/srv/demo", temporaryDir: tmpdir(), images, runAs: { uid: 1, gid: 1 } });

interface Stack {
  readonly resource: { readonly docker_container: Readonly<Record<string, Record<string, unknown>>> };
}

describe("renderDocker", () => {
  it("gives a stack that grants what the model does", () => {
    expect(render().stack).toHaveProperty("resource.docker_container.collector");
  });

  it("refuses a stack that grants more, with every finding", () => {
    weakened.by = (stack: never) => {
      const { collector, custody } = (stack as Stack).resource.docker_container;
      if (collector) collector.privileged = true;
      if (custody) custody.network_mode = "host";
    };
    expect(render).toThrow(
      expect.objectContaining({
        code: "RENDERED_STACK_REFUSED",
        exit: 5,
        cause: expect.arrayContaining([
          expect.objectContaining({ path: expect.stringContaining("collector.privileged") }),
          expect.objectContaining({ path: expect.stringContaining("custody.network_mode") }),
        ]),
      }),
    );
  });
});
