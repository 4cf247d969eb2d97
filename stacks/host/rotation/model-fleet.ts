import { createPrivateKey, X509Certificate } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readCrl } from "../../../certs/crl.ts";
import { normalSerial } from "../../../certs/serial.ts";
import type { Model } from "../../../model/boundary.ts";
import type { Deployment } from "../../../model/deployment.ts";
import { makeAuthorities } from "../authorities.ts";
import type { HostLedger, RevokedCertificate } from "../host-ledger.ts";
import { attributeOf } from "../host-ledger.ts";
import { type HostPki, openHostPki } from "../host-pki.ts";
import type { KeyCeremony } from "../key-ceremony.ts";
import { certificatesIn, fingerprintOf } from "../pem.ts";
import type { StoreFiles } from "../store-files.ts";
import { abandonRotation } from "./abandon.ts";
import type { RotationContext } from "./context.ts";
import type { Fleet } from "./fleet.ts";
import { type Phase, readJournal } from "./journal.ts";
import { type Memo, type Rotation, type RotationRun, runRotation } from "./machine.ts";
import { holdModelCeremony, makeMedium, modelCeremony } from "./model-ceremony.ts";
import { componentOf, MODEL_NAMES, pinIn, signedBy } from "./model-components.ts";
import type { RotationTarget } from "./target.ts";
import { withdrawalOf } from "./withdrawal.ts";

/** A death: nothing that comes after it happens. */
export class Killed extends Error {}

interface InForce {
  readonly anchors: readonly string[];
  readonly chain: readonly string[];
  readonly pins: readonly string[];
}

const NOW = new Date("2026-11-21T08:00:00Z");
const PASSPHRASE = "a passphrase of a test, and of nothing else";

/**
 * A small fleet in memory on a real secret store: each component has in force what it read last, and reads at any time, soon or
 * late. After every single change it is asked whether two of its components would refuse each other.
 */
export class ModelFleet {
  readonly dir = mkdtempSync(join(tmpdir(), "tk-rotation-"));
  readonly tokens = new Map<string, { certificate: string; revoked: boolean; used: boolean }>();
  readonly violations: string[] = [];
  /** Folders of media beside the one that is for the next root. */
  private readonly media: string[] = [];
  announced: { readonly anchors: readonly string[]; readonly pins: readonly string[] } | undefined;
  /** Where the next authority's key goes. */
  ceremony: KeyCeremony = modelCeremony({ root: { kind: "age" }, issuing: { kind: "file" } }, undefined);
  /** Hears of each phase as it begins. */
  onPhase: (phase: Phase) => void = () => undefined;
  /** Changes that happened in this run. */
  steps = 0;
  /** The change after which everything ends. */
  killAt = Number.POSITIVE_INFINITY;
  /** Picks who reads its files after a change, by its number: nobody for an empty list. */
  readers: (step: number) => readonly string[] = () => [];
  /** Lists that were published. */
  published: readonly string[] = [];
  private readonly inForce = new Map<string, InForce>();
  private readonly revocations: RevokedCertificate[] = [];
  private pki: HostPki | undefined;

  /** A fleet as another one is now: making authorities takes longer than all of a rotation. */
  static copyOf(other: ModelFleet): ModelFleet {
    const fleet = new ModelFleet();
    fleet.ceremony = modelCeremony(other.ceremony.pki, other.ceremony.rootFile && makeMedium());
    cpSync(other.dir, fleet.dir, { recursive: true });
    for (const name of MODEL_NAMES) fleet.read(name);
    return fleet;
  }

  /** @param pki where keys are that a ceremony makes; without it, they are files that no ceremony made */
  static async make(pki?: Deployment["pki"]): Promise<ModelFleet> {
    const fleet = new ModelFleet();
    const { authoritiesDir } = fleet;
    const named = { dir: authoritiesDir, tenant: "acme", namespace: undefined };
    const request = { ...named, clock: () => NOW, passphrase: PASSPHRASE };
    if (pki === undefined) await makeAuthorities({ ...request, onEvent: () => undefined });
    else {
      const medium = makeMedium();
      fleet.media.push(dirname(medium.file));
      await holdModelCeremony(fleet.dir, pki, { medium, now: NOW });
      fleet.ceremony = modelCeremony(pki, pki.root.kind === "age" ? makeMedium() : undefined);
    }
    await fleet.open().converge();
    for (const name of MODEL_NAMES) fleet.read(name);
    fleet.check("at the start");
    return fleet;
  }

  get authoritiesDir(): string {
    return join(this.dir, "authorities");
  }

  get journalFile(): string {
    return join(this.dir, "rotation.json");
  }

  secretFile = (component: string, secret: string): string => join(this.dir, "secrets", component, secret);

  /** A process that starts: nothing of an earlier one is in memory. */
  open(): HostPki {
    this.pki = openHostPki({
      authoritiesDir: this.authoritiesDir,
      model: {
        components: MODEL_NAMES.map((name) => componentOf(name, this.secretFile)),
        flows: [],
      } as unknown as Model,
      secretFile: this.secretFile,
      tenant: "acme",
      namespace: undefined,
      clock: () => NOW,
      files: this.files,
      passphrase: () => PASSPHRASE,
      ledger: this.ledger,
      actor: "test",
      onEvent: () => undefined,
    });
    return this.pki;
  }

  async rotate(make: (context: RotationContext) => Rotation, limitSeconds = 60): Promise<Memo> {
    this.steps = 0;
    const run = { ...this.run(limitSeconds), onPhase: (phase: Phase) => this.onPhase(phase) };
    return runRotation(make(await this.context()), run);
  }

  /** Gives up what has begun. */
  async abandon(target: RotationTarget): Promise<void> {
    this.steps = 0;
    await abandonRotation(withdrawalOf(target, await this.context()), this.run(60));
  }

  private async context(): Promise<RotationContext> {
    const pki = this.open();
    // As every command does first.
    await pki.authorities();
    const { fleet } = this;
    return {
      files: this.files,
      secretFile: this.secretFile,
      gateways: ["gw-01"],
      fleet,
      ceremony: this.ceremony,
      store: pki.store,
      converge: async (expired) => void (await pki.converge(expired)),
      pins: pki.brokerKeys.read,
      dropPreviousPin: () => pki.brokerKeys.dropPrevious(),
      crls: pki.crls.own,
      leafFiles: pki.leafFiles,
      revoke: pki.revoke,
    };
  }

  private run(limitSeconds: number): Omit<RotationRun, "onPhase"> {
    return {
      journalFile: this.journalFile,
      files: this.files,
      apply: this.fleet.apply,
      clock: () => new Date(),
      signal: new AbortController().signal,
      limitSeconds,
      pollMs: 1,
    };
  }

  /** {@link rotate}, and after each death again, until it is done. */
  async rotateDespite(make: (context: RotationContext) => Rotation, killAt: number): Promise<boolean> {
    this.killAt = killAt;
    let died = false;
    for (;;) {
      try {
        await this.rotate(make);
        return died;
      } catch (thrown) {
        if (!(thrown instanceof Killed)) throw thrown;
        // The last step of all is the end of the journal.
        if (this.unfinished === undefined) return true;
        died = true;
        this.killAt = Number.POSITIVE_INFINITY;
      }
    }
  }

  /** What a rotation that is done must not leave: a journal, a second root, a component behind, a broker without a next key. */
  async loose(): Promise<readonly string[]> {
    const { store, brokerKeys } = this.open();
    const { current, next } = brokerKeys.read();
    const root = store.fingerprint("root");
    const behind = (await this.fleet.members()).filter(({ anchors }) => String(anchors) !== root);
    return [
      ...(this.unfinished === undefined ? [] : [`the journal is at ${this.unfinished}`]),
      ...(store.anchors().length === 1 ? [] : ["there is a second root"]),
      ...(current === next ? ["the broker has no next key"] : []),
      ...behind.map(({ name }) => `${name} has other anchors than the root`),
    ];
  }

  get unfinished(): string | undefined {
    return readJournal(this.journalFile)?.phase;
  }

  /** Serial numbers in the list of the root in force. */
  listedByRoot(): readonly string[] {
    const pem = readFileSync(join(this.authoritiesDir, "crls/root.pem"), "utf8");
    return readCrl(pem).revoked.map(({ serial }) => serial);
  }

  revokedSerials(): readonly string[] {
    return this.revocations.map(({ serial }) => serial);
  }

  remove(): void {
    const next = this.ceremony.rootFile;
    const media = next === undefined ? this.media : [...this.media, dirname(next.file)];
    for (const folder of [this.dir, ...media]) rmSync(folder, { recursive: true, force: true });
  }

  private readonly files: StoreFiles = {
    write: (path, content) => {
      if (existsSync(path) && readFileSync(path, "utf8") === content) return false;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      this.step(`wrote ${path}`);
      return true;
    },
    copy: (from, to) => {
      copyFileSync(from, to);
      this.step(`copied ${to}`);
    },
    remove: (path) => {
      rmSync(path, { force: true });
      this.step(`removed ${path}`);
    },
  };

  private readonly ledger: HostLedger = {
    reload: async () => undefined,
    issued: async () => undefined,
    revoked: async (certPem, reason) => {
      const certificate = new X509Certificate(certPem);
      const serial = normalSerial(certificate.serialNumber);
      if (this.revocations.some((one) => one.serial === serial)) return undefined;
      const issuer = attributeOf(certificate.issuer, "CN");
      const subject = attributeOf(certificate.subject, "CN");
      this.revocations.push({ serial, subject, issuer, at: NOW, reason, notAfter: certificate.validToDate });
      this.step(`revoked ${serial}`);
      return undefined;
    },
    revokedBySerial: async () => undefined,
    revocations: () => this.revocations,
    isRevoked: (serial) => this.revocations.some((one) => one.serial === serial),
    gatewaysIssued: () => [],
    records: () => [],
    find: () => [],
  };

  private readonly fleet: Fleet = {
    members: async () =>
      MODEL_NAMES.map((name) => {
        const { anchors, chain, pins } = this.inForce.get(name) ?? { anchors: [], chain: [], pins: [] };
        return {
          name,
          anchors: anchors.map(fingerprintOf),
          certificates: chain.slice(0, 1).map(fingerprintOf),
          clientAuthorities: "none" as const,
          authority: "none" as const,
          pins: name === "broker" ? ("none" as const) : pins,
        };
      }),
    apply: async (names) => {
      for (const name of names) {
        this.read(name);
        this.step(`applied ${name}`);
      }
    },
    announce: async (trust) => {
      this.announced = trust;
      this.step("announced");
    },
    publishCrls: async (crls) => {
      this.published = crls;
      this.step("published");
    },
    pendingCrls: async (crls) => (crls.every((pem) => this.published.includes(pem)) ? [] : ["broker"]),
    newToken: async () => {
      const id = `t${this.tokens.size + 1}`;
      this.tokens.set(id, { certificate: this.leafOf("gw-01"), revoked: false, used: false });
      this.step(`token ${id}`);
      return { id, token: `gw_${id}` };
    },
    tokens: async () => {
      const held = this.secretFile("gw-01", "token");
      const inUse = existsSync(held) ? readFileSync(held, "utf8").trim().slice("gw_".length) : "";
      const token = this.tokens.get(inUse);
      if (token !== undefined) token.used = true;
      return [...this.tokens].map(([id, state]) => ({ id, ...state }));
    },
    revokeToken: async (_, id) => {
      this.tokens.set(id, { certificate: "", ...this.tokens.get(id), used: true, revoked: true });
      this.step(`revoked ${id}`);
    },
  };

  /** Fingerprint of the leaf in a component's file. */
  leafOf(component: string): string {
    return fingerprintOf(readFileSync(this.secretFile(component, "tls.crt"), "utf8"));
  }

  private step(what: string): void {
    this.steps += 1;
    for (const name of this.readers(this.steps)) this.read(name);
    this.check(what);
    if (this.steps === this.killAt) throw new Killed(what);
  }

  /** A component takes a set of files that belong together, and keeps what it has where they do not. */
  private read(name: string): void {
    const [ca, crt, key, pins] = ["ca.crt", "tls.crt", "tls.key", "broker.pins"].map((secret) => {
      const file = this.secretFile(name, secret);
      return existsSync(file) ? readFileSync(file, "utf8") : "";
    });
    const chain = certificatesIn(crt ?? "");
    if (chain[0] === undefined || !new X509Certificate(chain[0]).checkPrivateKey(createPrivateKey(key ?? ""))) return;
    const lines = (pins ?? "").split("\n").filter((line) => line !== "");
    this.inForce.set(name, { anchors: certificatesIn(ca ?? ""), chain, pins: lines });
  }

  private check(when: string): void {
    for (const client of MODEL_NAMES) {
      for (const server of MODEL_NAMES) {
        const [seen, shown] = [this.inForce.get(client), this.inForce.get(server)];
        if (seen === undefined || shown === undefined) continue;
        const [leaf = "", issuer = ""] = shown.chain;
        const trusted = signedBy(leaf, issuer) && seen.anchors.some((root) => signedBy(issuer, root));
        const pinned = server !== "broker" || client === "broker" || seen.pins.includes(pinIn(leaf));
        if (!trusted || !pinned) this.violations.push(`${client} refuses ${server} after it ${when}`);
      }
    }
  }
}
