import { fingerprintOf } from "../pem.ts";
import type { RotationContext } from "./context.ts";
import type { Fleet, Member } from "./fleet.ts";
import type { Phase } from "./journal.ts";
import type { ModelFleet } from "./model-fleet.ts";
import { pendingLeaves } from "./proof.ts";

type Announced = Parameters<Fleet["announce"]>[0];

/** An order to renew, as it was given. */
interface Ordered {
  readonly phase: Phase | undefined;
  readonly authorities: readonly string[];
  /** Components of this host that were behind at that moment. */
  readonly pendingHere: readonly string[];
}

/**
 * A gateway of the model fleet that runs elsewhere: it knows what the backend tells it when it asks, and asks seldom. After each change
 * it is asked whether the broker would still take it, and it the broker.
 */
export class RemoteGateway {
  /** Looks of the rotation at it for which it asks the backend once. */
  asksEvery = 1;
  /** Looks so far. */
  looks = 0;
  /** Revoked, or without a certificate that holds: the backend does not list it. */
  gone = false;
  /** Further members that the fleet has. */
  others: readonly Member[] = [];
  readonly cutOff: string[] = [];
  readonly ordered: Ordered[] = [];
  readonly #fleet: ModelFleet;
  readonly #follows: (phase: Phase) => boolean;
  #phase: Phase | undefined;
  #told: Announced | undefined;
  #anchors: readonly string[];
  #pins: readonly string[];
  #authority: string;

  /** @param follows whether it asks the backend in a phase */
  constructor(fleet: ModelFleet, follows: (phase: Phase) => boolean) {
    [this.#fleet, this.#follows] = [fleet, follows];
    const { store, brokerKeys } = fleet.open();
    const { current, next } = brokerKeys.read();
    this.#anchors = store.anchors().map(fingerprintOf);
    this.#pins = [current, next].filter((pin) => pin !== undefined);
    this.#authority = store.fingerprint("gateways");
  }

  /** It has the pin of the broker's key, and not that of the next one. */
  forgetsNextPin(): void {
    this.#pins = this.#pins.slice(0, 1);
  }

  enter(phase: Phase): void {
    this.#phase = phase;
  }

  member(): Member {
    return {
      name: "gw-77",
      anchors: this.#anchors,
      pins: this.#pins,
      certificates: "none",
      clientAuthorities: "none",
      authority: "none",
      elsewhere: { authority: this.#authority },
    };
  }

  /** The context of a rotation whose fleet has this gateway. */
  with(context: RotationContext): RotationContext {
    const { fleet } = context;
    const members = async (): Promise<readonly Member[]> => {
      this.#look();
      return [...(await fleet.members()), ...this.others, ...(this.gone ? [] : [this.member()])];
    };
    const announce: Fleet["announce"] = async (trust) => {
      await fleet.announce(trust);
      this.#told = { ...this.#told, ...trust };
      if (trust.gatewayAuthorities) await this.#note(context, trust.gatewayAuthorities);
    };
    return { ...context, fleet: { ...fleet, members, announce } };
  }

  async #note({ fleet, leafFiles }: RotationContext, authorities: readonly string[]): Promise<void> {
    this.ordered.push({ phase: this.#phase, authorities, pendingHere: await pendingLeaves(fleet, leafFiles) });
  }

  #look(): void {
    this.looks += 1;
    const asks = this.#phase !== undefined && this.#follows(this.#phase) && this.looks % this.asksEvery === 0;
    if (asks && this.#told) this.#follow(this.#told);
    if (!this.gone) this.#check();
  }

  #follow({ anchors, pins, gatewayAuthorities = [] }: Announced): void {
    this.#anchors = anchors.map(fingerprintOf);
    this.#pins = pins;
    if (gatewayAuthorities.length === 0 || gatewayAuthorities.includes(this.#authority)) return;
    this.#authority = this.#fleet.open().store.fingerprint("gateways");
  }

  /** What the broker shows it must trust; what it shows, the broker must. */
  #check(): void {
    const { store, brokerKeys } = this.#fleet.open();
    const { current = "" } = brokerKeys.read();
    const known = [store.read("gateways"), store.read("gateways.old")].flatMap((pem) =>
      pem ? [fingerprintOf(pem)] : [],
    );
    const roots = store.anchors().map(fingerprintOf);
    const say = (what: string): void => void this.cutOff.push(`${what} in ${this.#phase}`);
    if (!this.#anchors.includes(store.fingerprint("root"))) say("it does not know the root of the broker's leaf");
    if (!this.#pins.includes(current)) say("it does not know the broker's key");
    if (roots.length === 1 && !known.includes(this.#authority)) say("the broker does not know its leaf's authority");
  }
}
