import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RevocationReason } from "../../certs/crl/reasons.ts";
import type { OnlineClass } from "../../certs/names.ts";
import type { Model } from "../../model/boundary.ts";
import { SERVICES_ONLY } from "../../modules/common.ts";
import type { SecurityEvent } from "../../shared/security-event.ts";
import { type Authorities, readAuthorities } from "./authorities.ts";
import { makersIn } from "./authorities-in-use.ts";
import { authorityFiles } from "./authority-files.ts";
import type { AuthorityFiles } from "./authority-store.ts";
import { type HostCrls, hostCrls } from "./crls.ts";
import { hostErrors } from "./errors.ts";
import type { HostLedger } from "./host-ledger.ts";
import { leafFilesOf, PROBE, renewLeaves } from "./leaves.ts";
import { type BrokerKeys, brokerKeys, PINNED, renderPins } from "./pins.ts";
import { revokedGateways } from "./revoked-gateways.ts";
import { fillStepCaSecrets } from "./step-ca-authority.ts";
import type { StoreFiles } from "./store-files.ts";

/** What the PKI of a host is opened with. */
export interface HostPkiRequest {
  readonly authoritiesDir: string;
  readonly model: Model;
  /** File of a component's secret on this machine. */
  readonly secretFile: (component: string, secret: string) => string;
  readonly tenant: string;
  /** Namespace whose Services the deployment's services are; undefined where no cluster runs it. */
  readonly namespace: string | undefined;
  readonly clock: () => Date;
  readonly files: StoreFiles;
  readonly ledger: HostLedger;
  /** Opens the root's key. */
  readonly passphrase: () => string;
  /** Who does it, for the ledger: the common name of an operator, or of this program. */
  readonly actor: string;
  readonly onEvent: (event: SecurityEvent) => void;
}

/** The certificates of a deployment, as this host keeps them. */
export interface HostPki {
  readonly store: AuthorityFiles;
  readonly ledger: HostLedger;
  readonly crls: HostCrls;
  readonly brokerKeys: BrokerKeys;
  readonly authorities: () => Promise<Authorities>;
  /** Enters a leaf that was issued with these authorities in the ledger, and its event in the log. */
  readonly enter: (certPem: string, event: SecurityEvent) => Promise<void>;
  /** The files of every leaf of a component. */
  readonly leafFiles: (component: string) => readonly string[];
  /** Enters a revocation in the ledger, once; {@link converge} lists it. */
  readonly revoke: (certPem: string, reason: RevocationReason) => Promise<void>;
  /**
   * {@link revoke} for a certificate of this host that the ledger knows by its serial number, lower-case hex.
   * @throws CERTIFICATE_UNKNOWN
   */
  readonly revokeSerial: (serial: string, reason: RevocationReason) => Promise<void>;
  /**
   * Makes every file what the authorities' files say: leaves, anchors, pins, revocation lists. Done twice, it comes to the same.
   * @param expired fingerprints of leaves that are issued anew although they are young
   * @returns the components whose leaves changed
   */
  readonly converge: (expired?: ReadonlySet<string>) => Promise<readonly string[]>;
}

/** Classes whose revocation lists step-ca publishes, where the deployment has it. */
export function onlineClasses({ components }: Model): readonly OnlineClass[] {
  return (["gateways", "operators"] as const).filter((each) => components.some(({ name }) => name === `${each}-ca`));
}

/** The certificates of a host. Reads nothing yet. */
export function openHostPki(request: HostPkiRequest): HostPki {
  const { authoritiesDir: dir, model, secretFile, clock, files, ledger, actor, onEvent } = request;
  const enter: HostPki["enter"] = async (certPem, event) => {
    await ledger.issued(certPem, actor);
    onEvent(event);
  };
  const store = authorityFiles({
    dir,
    tenant: request.tenant,
    namespace: request.namespace,
    clock,
    files,
    passphrase: request.passphrase,
    onAuthority: enter,
  });
  const crls = hostCrls({ dir, store, ledger, files, clock, online: onlineClasses(model) });
  const keys = brokerKeys(dir, secretFile(PINNED, "tls.key"), files);
  const authorities = (): Promise<Authorities> => readAuthorities(dir, store.anchors());
  const revoke: HostPki["revoke"] = async (certPem, reason) => {
    const event = await ledger.revoked(certPem, reason, actor);
    if (event !== undefined) onEvent(event);
  };
  const fill = (secret: string, content: string): void => {
    for (const { name, secrets } of model.components) {
      if (secrets.some((one) => one.name === secret)) files.write(secretFile(name, secret), content);
    }
  };
  return {
    store,
    ledger,
    crls,
    brokerKeys: keys,
    authorities,
    enter,
    revoke,
    async revokeSerial(serial, reason) {
      await ledger.reload();
      if (ledger.find(serial).length === 0) {
        const message = `no certificate of this host has the serial number "${serial}"`;
        throw hostErrors.error("CERTIFICATE_UNKNOWN", message, { path: "serial" });
      }
      const event = await ledger.revokedBySerial(serial, reason, actor);
      if (event !== undefined) onEvent(event);
    },
    leafFiles: (component) => {
      const found = model.components.find(({ name }) => name === component);
      return found === undefined ? [] : leafFilesOf(found, secretFile).filter((file) => existsSync(file));
    },
    async converge(expired = new Set()) {
      await ledger.reload();
      await upgrade(dir, store, files);
      const loaded = await authorities();
      for (const name of [
        "root",
        "services",
        "gateways",
        "operators",
        ...makersIn(dir).map((each) => `makers/${each}`),
      ]) {
        const certPem = store.read(name);
        if (certPem !== undefined) await ledger.issued(certPem, actor);
      }
      // Anchors before leaves: nobody is shown a leaf whose root it could not know.
      fill("ca.crt", loaded.anchorsPem);
      fill(SERVICES_ONLY, ["services", "services.next", "services.old"].map((name) => store.read(name) ?? "").join(""));
      keys.dropPrevious(clock());
      fill("broker.pins", renderPins(keys.read()));
      const changed = await renewLeaves({
        ...request,
        authorities: loaded,
        brokerKeys: keys,
        expired,
        revoked: revokedGateways(dir),
        onLeaf: async (certPem, event) => {
          await ledger.issued(certPem, actor);
          if (event.reason === PROBE.name) await ledger.revoked(certPem, "cessationOfOperation", actor);
          onEvent(event);
        },
      });
      fill("broker.pins", renderPins(keys.read()));
      try {
        await crls.refresh();
      } finally {
        // What could be made is given out, also where the root's list has to wait for its key.
        fill("crl.pem", crls.bundle());
      }
      await fillStepCaSecrets({ model, authoritiesDir: dir, secretFile, passphrase: request.passphrase });
      return changed;
    },
  };
}

/**
 * A deployment of the version before had an authority for step-ca alone, and classes whose constraints step-ca refuses: the root
 * signs the classes again, with their keys as they are.
 */
async function upgrade(dir: string, store: AuthorityFiles, files: StoreFiles): Promise<void> {
  const old = ["crt", "key"].map((kind) => join(dir, `step-ca.${kind}`));
  if (!old.some((file) => existsSync(file))) return;
  await store.certifyAll(() => true);
  for (const file of old) files.remove(file);
}
