import { assertPeople, type People } from "../../../certs/ceremony/people.ts";
import type { KeyCeremony } from "../key-ceremony.ts";
import type { Memo } from "./machine.ts";

/** What a command says of the ceremony that a rotation is; whom it does not name, an earlier run may have. */
export interface NamedCeremony extends Omit<KeyCeremony, "pki" | keyof People> {
  readonly conductor?: string | undefined;
  readonly witnesses?: readonly string[] | undefined;
  /** Who conducts it where nobody was ever named. */
  readonly user: string;
}

/**
 * Who is there: as this run names them, else as the one did that began.
 * @throws CEREMONY_NAME_INVALID
 */
export function peopleOf({ conductor, witnesses, user }: NamedCeremony, memo: Memo | undefined): People {
  const before = memo?.witnesses === undefined ? [] : (JSON.parse(memo.witnesses) as readonly string[]);
  const people = { conductor: conductor ?? memo?.conductor ?? user, witnesses: witnesses ?? before };
  assertPeople(people);
  return people;
}

/** What {@link peopleOf} reads. */
export function renderPeople({ conductor, witnesses }: People): Memo {
  return { conductor, witnesses: JSON.stringify(witnesses) };
}
