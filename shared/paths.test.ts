import { expect, it } from "vitest";
import { overlaps } from "./paths.ts";

it.each([
  ["/run/a", "/run/a"],
  ["/run/a", "/run/a/b"],
  ["/run/a/b/c", "/run/a"],
  ["/run/a/", "/run/a"],
  ["/run/x/../a", "/run/a"],
  ["/run/a", "/run/a/..b"],
  ["/", "/run"],
])("says that %s and %s overlap", (one, other) => {
  expect(overlaps(one, other)).toBe(true);
});

it.each([
  ["/run/a", "/run/ab"],
  ["/run/a-custody", "/run/a"],
  ["/run/a/../b", "/run/a"],
  ["/dev/tpmrm0", "/dev/tpmrm1"],
])("says that %s and %s do not", (one, other) => {
  expect(overlaps(one, other)).toBe(false);
});
