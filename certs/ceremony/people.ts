import { ceremonyErrors } from "./errors.ts";

/** Who is there while keys are made. */
export interface People {
  /** Who conducts it. */
  readonly conductor: string;
  /** Who watches. */
  readonly witnesses: readonly string[];
}

/**
 * Refuses who is named so that a transcript cannot say it, and who is named twice.
 * @throws CEREMONY_NAME_INVALID
 */
export function assertPeople({ conductor, witnesses }: People): void {
  const people = [conductor, ...witnesses];
  const wrong = people.find((each) => !/^[\p{L}\p{N}\p{P}\p{Zs}]{1,100}$/u.test(each) || each.trim() !== each);
  if (wrong !== undefined) {
    throw ceremonyErrors.error("CEREMONY_NAME_INVALID", `${JSON.stringify(wrong.slice(0, 100))} is nobody's name`, {
      path: "witnesses",
    });
  }
  if (new Set(people).size === people.length) return;
  throw ceremonyErrors.error("CEREMONY_NAME_INVALID", "somebody is named twice, and nobody is their own witness", {
    path: "witnesses",
  });
}
