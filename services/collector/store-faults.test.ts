import { describe, expect, it } from "vitest";
import { refusalOf } from "./store-faults.ts";

describe("refusalOf", () => {
  it.each([
    ["", "an error without a state"],
    ["08006", "connection failure"],
    ["25P02", "transaction is aborted"],
    ["28P01", "wrong password"],
    ["42501", "right is missing"],
    ["42P01", "table is missing"],
    ["53100", "disk is full"],
    ["53200", "memory is used up"],
    ["53300", "too many connections"],
    ["55P03", "lock is not to be had"],
    ["57014", "query was cancelled"],
    ["57P01", "server shuts down"],
    ["57P03", "server starts"],
    ["58030", "input or output failed"],
    ["58P01", "file is missing"],
    ["XX000", "internal error"],
    ["XX001", "data are corrupt"],
  ])("says nothing of a message at %s: %s", (sqlState) => {
    expect(refusalOf(sqlState)).toBe("fault");
  });

  it.each(["22003", "22P02", "22P05", "22021", "23502", "23514", "54000", "54001"])(
    "blames the row at %s",
    (sqlState) => {
      expect(refusalOf(sqlState)).toBe("row");
    },
  );

  it.each(["40001", "40P01"])("tries again at %s", (sqlState) => {
    expect(refusalOf(sqlState)).toBe("collision");
  });

  it("takes a key that is there already for a repeat, though it is a constraint too", () => {
    expect(refusalOf("23505")).toBe("repeat");
  });
});
