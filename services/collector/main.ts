import { isMainThread } from "node:worker_threads";

// One program for both kinds of thread, so that the collector can be bundled into one file; each loads its own half only.
if (isMainThread) {
  const [{ runService }, { collectorConfig }, { startCollector }] = await Promise.all([
    import("../runtime/run.ts"),
    import("./config.ts"),
    import("./start.ts"),
  ]);
  const entry = new URL(import.meta.url);
  await runService({
    name: "collector",
    configSchema: collectorConfig,
    start: (context) => startCollector(context, entry),
  });
} else {
  const { runWorker } = await import("./verify/worker.ts");
  runWorker();
}
