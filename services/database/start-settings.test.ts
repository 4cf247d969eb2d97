import { expect, it } from "vitest";
import { startSettings } from "./start-settings.ts";

it("takes a client's settings from its startup packet and from its options", () => {
  const parameters = new Map([
    ["user", "reader"],
    ["database", "trustkern"],
    ["client_encoding", "UTF8"],
    ["application_name", "grafana"],
    ["options", "-c search_path=a,b --work_mem=1MB"],
  ]);
  expect([...startSettings(parameters)]).toEqual([
    ["application_name", "grafana"],
    ["search_path", "a,b"],
    ["work_mem", "1MB"],
  ]);
});
