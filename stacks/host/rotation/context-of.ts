import type { Deployment } from "../../../model/deployment.ts";
import type { CertsSite } from "../certs-site.ts";
import { logEvent } from "../event-log.ts";
import { introduce } from "../introduce.ts";
import type { KeyCeremony } from "../key-ceremony.ts";
import { hostFiles } from "../store-files.ts";
import type { RotationContext } from "./context.ts";
import type { Fleet, Member } from "./fleet.ts";
import { rotatable } from "./rotatable.ts";

/** What a context is made with, beside the deployment. */
export interface ContextOptions {
  readonly fleet: Fleet | undefined;
  /** Gateways that are revoked: nobody waits for them. */
  readonly revoked: ReadonlySet<string>;
  readonly ceremony: KeyCeremony;
}

/** The ceremony of what makes no key. */
export function nobodysCeremony({ keyPlaces }: { readonly keyPlaces: Deployment["pki"] }): KeyCeremony {
  return { pki: keyPlaces, conductor: "", witnesses: [], versions: {} };
}

/** Tells the security log of a step of a rotation. */
export function logStep(
  { layout, tenant, clock }: CertsSite,
  { what, reason, user }: { readonly what: string; readonly reason: string; readonly user: string },
): void {
  logEvent(layout, {
    ...{ kind: "ROTATION_STEP", time: clock().toISOString(), tenant, actor: `cli:${user}`, sourceAddress: null },
    ...{ object: what, reason, count: 1, correlationId: null },
  });
}

/** What rotations of a deployment work with; without a fleet, nobody is asked and nothing may be changed. */
export function contextOf(site: CertsSite, { fleet, revoked, ceremony }: ContextOptions): RotationContext {
  const { pki, secretFile, handOver } = site;
  const { gateways } = rotatable(site);
  // Who is revoked for good is given nothing, so there is nothing that it could follow.
  const follows = ({ name }: Member): boolean => !revoked.has(name);
  const nobody = new Proxy({} as Fleet, {
    get: () => {
      throw new TypeError("an outline asks nobody");
    },
  });
  // What a step writes is with who runs the components before anybody is asked or told to take it.
  let handedOver = Promise.resolve();
  const handAll = async (): Promise<void> => {
    await handedOver;
    await handOver();
  };
  return {
    files: {
      ...hostFiles,
      write: (path, content) => {
        const changed = hostFiles.write(path, content);
        handedOver = handedOver.then(handOver);
        handedOver.catch(() => undefined);
        return changed;
      },
    },
    secretFile,
    gateways: gateways.filter((name) => !revoked.has(name)),
    fleet: fleet === undefined ? nobody : afterHandingOver(fleet, handAll, follows),
    ceremony,
    store: pki.store,
    converge: async (expired) => {
      const renewed = await pki.converge(expired);
      await handAll();
      // A gateway's token is bound to its certificate.
      if (gateways.some((name) => renewed.includes(name))) await introduce(site, await site.operator());
    },
    pins: pki.brokerKeys.read,
    dropPreviousPin: () => pki.brokerKeys.dropPrevious(),
    crls: pki.crls.own,
    leafFiles: pki.leafFiles,
    revoke: pki.revoke,
  };
}

function afterHandingOver(fleet: Fleet, handAll: () => Promise<void>, follows: (member: Member) => boolean): Fleet {
  return {
    ...fleet,
    members: async () => {
      await handAll();
      return (await fleet.members()).filter(follows);
    },
    apply: async (components) => {
      await handAll();
      await fleet.apply(components);
    },
  };
}
