import { defineConfig } from "vitest/config";

/** What needs a Docker Engine. */
const DOCKER = [
  "test/e2e/docker/**/*.test.ts",
  "test/integration/broker-image.test.ts",
  "test/integration/images.test.ts",
  "test/integration/observability.test.ts",
];
/** What needs a cluster. */
const KUBERNETES = ["test/e2e/kubernetes/**/*.test.ts", "test/integration/cluster.test.ts"];
const PATIENT = { testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false };

/**
 * `unit` sits beside its source and needs nothing; `integration` starts real processes, `docker` real containers, and `kubernetes` real
 * clusters, one file at a time each.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "test/integration/**", "test/e2e/**"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", "test/e2e/**/*.test.ts"],
          exclude: [...DOCKER, ...KUBERNETES],
          ...PATIENT,
        },
      },
      {
        test: { name: "kubernetes", include: KUBERNETES, globalSetup: ["test/support/cluster-setup.ts"], ...PATIENT },
      },
      { test: { name: "docker", include: DOCKER, globalSetup: ["test/support/docker-setup.ts"], ...PATIENT } },
    ],
  },
});
