import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Generation,
  planActivation,
  planCompromise,
  planDestruction,
  withChanges,
} from "../../../custody/generation.ts";
import type { ListedGeneration } from "../custody-management.ts";
import { recipientsOf } from "../recipients.ts";
import { hostFiles } from "../store-files.ts";
import type { SensorKeyUse } from "./key-use.ts";
import type { GenerationsPlace } from "./place.ts";

/** What a step throws when the command line dies in it. */
export class Killed extends Error {}

const DAY_MS = 86_400_000;

/**
 * A deployment in memory, for tests: custody by its own rules, a backend that keeps what is published, and sensors that take an
 * update with their next message unless their gateway holds it back. Each step of the command line may be its last, before or
 * after what it does.
 */
export class ModelPlace {
  readonly folder = mkdtempSync(join(tmpdir(), "tk-keys-"));
  now = Date.parse("2026-01-01T00:00:00Z");
  generations: readonly Generation[] = [];
  /** Key ids that the backend has, in the order in which they are to be used. */
  recipients: readonly string[] = [];
  sensors: readonly SensorKeyUse[] = [];
  /** Key ids of which a copy lies on this host. */
  copies: readonly string[] = [];
  /** Gateways that hold updates back. */
  holdingBack: readonly string[] = [];
  /** Number of the step that is the last one, from 1. @default it lives */
  killAt = Number.POSITIVE_INFINITY;
  /** Whether it dies before what that step does, or after it. */
  killBefore = true;
  steps = 0;
  #made = 0;

  readonly place: GenerationsPlace = {
    custody: {
      list: async () => this.generations.map(listed),
      generate: () => this.#step(() => listed(this.#add("next"))),
      activate: (keyId) => this.#step(() => this.#change(planActivation(this.generations, keyId, this.at()))),
      destroy: (keyId) => this.#step(() => this.#change(planDestruction(this.generations, keyId, this.at()))),
      compromise: (keyId, stored, reason) =>
        this.#step(() => {
          const how = { at: this.at(), stored, reason };
          const fresh = this.#new("active");
          this.#change(planCompromise(this.generations, keyId, how, fresh));
          return listed(this.active());
        }),
    },
    publish: (preferred) =>
      this.#step(() => {
        const recipients = recipientsOf(this.generations.map(listed), preferred);
        const inOrder = recipients.toSorted((a, b) => Date.parse(a.not_before) - Date.parse(b.not_before));
        this.recipients = inOrder.map(({ key_id }) => key_id);
      }),
    keyUse: async () => this.sensors,
    destroyInCopies: (keyId) => {
      const gone = this.copies.filter((one) => one === keyId);
      this.copies = this.copies.filter((one) => one !== keyId);
      return gone;
    },
    schedule: { rotateEverySeconds: 90 * 86_400, overlapSeconds: 7 * 86_400, destroyAfterSeconds: 365 * 86_400 },
    journalFile: join(this.folder, "custody", "rotation.json"),
    files: {
      ...hostFiles,
      write: (path, content) => this.#sync(() => hostFiles.write(path, content)),
      remove: (path) => this.#sync(() => hostFiles.remove(path)),
    },
    clock: () => new Date(this.now),
  };

  constructor() {
    this.#add("active");
    this.recipients = [this.active().keyId];
  }

  at(): string {
    return new Date(this.now).toISOString();
  }

  active(): Generation {
    const [only, ...more] = this.generations.filter(({ state }) => state === "active");
    if (only === undefined || more.length > 0) throw new Error("there is not one active generation");
    return only;
  }

  /** Adds a generation, as an import does. */
  import(origin: Generation["origin"], state: "next" | "retired"): string {
    const added = { ...this.#new(state), origin };
    this.#change([added]);
    return added.keyId;
  }

  /** A sensor that has sent a message just now, to the newest key that it knows. */
  hear(sensor: string, gateway = "gw-01"): void {
    const known = this.sensors.find(({ sensor_id }) => sensor_id === sensor);
    const newest = this.recipients.at(-1) ?? null;
    const key_id = this.holdingBack.includes(gateway) ? (known?.key_id ?? this.recipients[0] ?? null) : newest;
    const others = this.sensors.filter(({ sensor_id }) => sensor_id !== sensor);
    this.sensors = [...others, { sensor_id: sensor, key_id, gateway, last_seen: this.at() }];
  }

  pass(days: number): void {
    this.now += days * DAY_MS;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #new(state: Generation["state"]): Generation {
    this.#made += 1;
    const publicKey = createHash("sha256").update(String(this.#made)).digest("hex");
    const at = this.at();
    const keyId = this.#made.toString(16).padStart(16, "0");
    const stamps = { createdAt: at, notBefore: at, ...(state === "active" && { activatedAt: at }) };
    return { keyId, publicKey, suite: "X25519-HKDF-SHA256/AES-128-GCM", origin: "generated", state, ...stamps };
  }

  #add(state: Generation["state"]): Generation {
    const added = this.#new(state);
    this.#change([added]);
    return added;
  }

  #change(changed: readonly Generation[]): void {
    this.generations = withChanges(this.generations, changed);
  }

  #sync<T>(work: () => T): T {
    this.steps += 1;
    const dies = this.steps === this.killAt;
    if (dies && this.killBefore) throw new Killed();
    const done = work();
    if (dies) throw new Killed();
    return done;
  }

  async #step<T>(work: () => T): Promise<T> {
    return this.#sync(work);
  }
}

function listed({ publicKey, ...generation }: Generation): ListedGeneration {
  return { ...generation, publicKey: Buffer.from(publicKey, "hex") };
}
