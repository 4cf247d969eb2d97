import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type CommitQueueOptions, commitQueue } from "./queue.ts";
import type { AuditRecord } from "./record.ts";
import { opened } from "./test-log.ts";

const unavailable = expect.objectContaining({ code: "CUSTODY_AUDIT_UNAVAILABLE" });

/** A disk that ends a commit when the test says so. */
function slowDisk(limitMs = 60_000) {
  const commits: { readonly size: number; readonly end: () => void; readonly fail: (reason: Error) => void }[] = [];
  const wanted: boolean[] = [];
  const commit: CommitQueueOptions["commit"] = async (entries, isWanted) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    commits.push({ size: entries.length, end: resolve, fail: reject });
    await promise;
    wanted.push(isWanted());
    return entries.map((_, index) => ({ seq: index + 1 }) as AuditRecord);
  };
  return { commits, wanted, queue: commitQueue({ limitMs, commit }) };
}

const nextTurn = () => sleep(0);

describe("the queue of an audit log", () => {
  test("makes one commit of what waits while another is written", async () => {
    const { commits, queue } = slowDisk();
    const all = Array.from({ length: 300 }, (_, index) => queue.append(opened(index)));
    expect(commits.map(({ size }) => size)).toEqual([1]);
    commits[0]!.end();
    await nextTurn();
    commits[1]!.end();
    await nextTurn();
    commits[2]!.end();
    await Promise.all(all);
    expect(commits.map(({ size }) => size)).toEqual([1, 256, 43]);
  });

  test("refuses all that wait when one has waited too long, and whoever comes then at once", async () => {
    const { commits, wanted, queue } = slowDisk(40);
    const [first, second] = [queue.append(opened(1)), queue.append(opened(2))];
    await expect(first).rejects.toEqual(unavailable);
    await expect(second).rejects.toEqual(unavailable);
    const answer = queue.append(opened(3)).catch(() => "refused");
    expect(await Promise.race([answer, nextTurn()])).toBe("refused");
    commits[0]!.end();
    await nextTurn();
    expect(wanted).toEqual([false]);
    expect(commits).toHaveLength(1);
  });

  test("goes on when the disk is back, without what was refused", async () => {
    const { commits, wanted, queue } = slowDisk(40);
    await expect(Promise.all([queue.append(opened(1)), queue.append(opened(2))])).rejects.toEqual(unavailable);
    commits[0]!.end();
    await nextTurn();
    const next = queue.append(opened(3));
    commits[1]!.end();
    await next;
    expect(commits.map(({ size }) => size)).toEqual([1, 1]);
    expect(wanted).toEqual([false, true]);
  });

  test("has one commit at a time, and no more than 1024 entries behind it", async () => {
    const { commits, queue } = slowDisk();
    const all = Array.from({ length: 1_026 }, (_, index) => queue.append(opened(index)));
    await expect(all.at(-1)).rejects.toEqual(unavailable);
    expect(commits).toHaveLength(1);
    for (let each = 0; each < 5; each++) {
      commits[each]!.end();
      await nextTurn();
    }
    await Promise.all(all.slice(0, -1));
  });

  test("refuses one commit for a disk that fails, and tries the next", async () => {
    const { commits, queue } = slowDisk();
    const [failed, next] = [queue.append(opened(1)), queue.append(opened(2))];
    commits[0]!.fail(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }));
    await expect(failed).rejects.toMatchObject({
      code: "CUSTODY_AUDIT_UNAVAILABLE",
      message: expect.stringContaining("ENOSPC"),
    });
    await nextTurn();
    commits[1]!.end();
    await next;
  });

  test("takes nothing after its end, and ends when nothing is written any more", async () => {
    const { commits, queue } = slowDisk();
    const pending = queue.append(opened(1));
    let ended = false;
    const end = queue.close().then(() => {
      ended = true;
    });
    await expect(queue.append(opened(2))).rejects.toEqual(unavailable);
    await nextTurn();
    expect(ended).toBe(false);
    commits[0]!.end();
    await Promise.all([pending, end]);
  });
});
