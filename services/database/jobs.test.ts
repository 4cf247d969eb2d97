import { expect, it } from "vitest";
import { createJobRunner, planDueJobs } from "./jobs.ts";

const job = (id: number, intervalSeconds: number) => ({ id, owner: "trustkern", intervalSeconds });

it("runs a job that never ran, and then one interval after its last run", () => {
  const jobs = [job(1000, 60), job(1001, 60), job(1002, 60)];
  const lastRunMs = new Map([
    [1001, 1_000],
    [1002, 1_001],
  ]);
  expect(planDueJobs(jobs, "trustkern", lastRunMs, 61_000).map(({ id }) => id)).toEqual([1000, 1001]);
});

it("runs no job of another role than the owner", () => {
  const jobs = [job(1000, 60), { ...job(1001, 60), owner: "reader" }, { ...job(1002, 60), owner: "postgres" }];
  expect(planDueJobs(jobs, "trustkern", new Map(), 0).map(({ id }) => id)).toEqual([1000]);
});

it("runs each job as the owner, and goes on after one that failed", async () => {
  const run: string[] = [];
  const failed: string[] = [];
  const multiplexer = {
    run: async (role: string, sql: string) => {
      if (!sql.includes("run_job"))
        return [
          ["1000", "trustkern", "60"],
          ["1001", "trustkern", "60.5"],
          ["1002", "reader", "1"],
        ];
      run.push(`${role} ${sql}`);
      if (sql.includes("1000")) throw new Error("no such chunk");
      return [];
    },
  };
  let nowMs = 0;
  const onFailure = ({ id }: { id: number }, reason: string) => failed.push(`${id} ${reason}`);
  const runner = createJobRunner({ multiplexer, owner: "trustkern", now: () => nowMs, onFailure });
  await runner.runDue();
  nowMs = 60_000;
  await runner.runDue();
  const [first, second] = ["trustkern CALL run_job(1000)", "trustkern CALL run_job(1001)"];
  expect(run).toEqual([first, second, first]);
  expect(failed).toEqual(["1000 no such chunk", "1000 no such chunk"]);
  expect(runner.counters()).toEqual({ jobsRun: 3, jobsFailed: 2 });
});
