import { describe, expect, test } from "vitest";
import type { Deployment, ProfileName } from "../../model/deployment.ts";
import { defaultDeployment } from "../../profiles/resolve.ts";
import type { CommandContext } from "../command.ts";
import { quorumOf } from "./quorum.ts";

const of = (profile: ProfileName, custody: Partial<Deployment["custody"]> = {}): Deployment => {
  const deployment = defaultDeployment();
  return { ...deployment, profile, custody: { ...deployment.custody, ...custody } as Deployment["custody"] };
};
const context = (options: CommandContext["options"]) => ({ options }) as CommandContext;
const said = (...holders: readonly string[]) => context({ threshold: "2", holder: holders.join(",") });

describe("the quorum of a command line", () => {
  test("has each holder with name, operator and recipient", () => {
    expect(quorumOf(said("anna=age1x", "ben:partner", "cleo:trustkern=age1y"), of("dev"))).toEqual({
      threshold: 2,
      holders: [
        { name: "anna", operator: "customer", recipient: "age1x" },
        { name: "ben", operator: "partner", recipient: undefined },
        { name: "cleo", operator: "trustkern", recipient: "age1y" },
      ],
    });
  });

  test.each(["customer-tenant", "air-gapped"] as const)(
    "has no holder but the customer's with profile %s",
    (profile) => {
      expect(quorumOf(said("anna", "ben"), of(profile)).holders).toHaveLength(2);
      for (const holder of ["cleo:trustkern", "cleo:partner=age1x"]) {
        expect(() => quorumOf(said("anna", "ben", holder), of(profile))).toThrow(
          expect.objectContaining({
            code: "CUSTODY_ESCROW_OPERATOR",
            exit: 5,
            message: expect.stringMatching(/cleo is of \w+; profile .* accepts: customer, because/),
          }),
        );
      }
    },
  );

  test("is held against the profile when the deployment says it, too", () => {
    const holders = [
      { name: "anna", operator: "customer" },
      { name: "ben", operator: "trustkern" },
    ] as const;
    const deployment = of("customer-tenant", { escrow: { threshold: 2, holders } });
    expect(() => quorumOf(context({}), deployment)).toThrow(
      expect.objectContaining({ code: "CUSTODY_ESCROW_OPERATOR" }),
    );
    expect(quorumOf(context({}), of("dev", { escrow: { threshold: 2, holders } })).holders).toEqual(holders);
  });

  test("overrides nothing that the deployment says", () => {
    const holders = [{ name: "anna", operator: "customer" } as const, { name: "ben", operator: "customer" } as const];
    const deployment = of("dev", { escrow: { threshold: 2, holders } });
    for (const options of [{ threshold: "2" }, { holder: "anna" }]) {
      expect(() => quorumOf(context(options), deployment)).toThrow(expect.objectContaining({ code: "CLI_USAGE" }));
    }
  });

  test.each([
    [{}, "CLI_USAGE"],
    [{ threshold: "2" }, "CLI_USAGE"],
    [{ holder: "anna,ben" }, "CLI_USAGE"],
    [{ threshold: "two", holder: "anna,ben" }, "CLI_USAGE"],
    [{ threshold: "256", holder: "anna,ben" }, "CLI_USAGE"],
    [{ threshold: "2", holder: "=age1x,ben" }, "CLI_USAGE"],
    [{ threshold: "2", holder: "anna:=age1x,ben" }, "CLI_USAGE"],
    [{ threshold: "3", holder: "anna,ben" }, "CUSTODY_ESCROW_QUORUM"],
    [{ threshold: "2", holder: "anna,anna" }, "CUSTODY_ESCROW_HOLDER"],
  ])("is not %j", (options, code) => {
    expect(() => quorumOf(context(options), of("dev"))).toThrow(expect.objectContaining({ code }));
  });
});
