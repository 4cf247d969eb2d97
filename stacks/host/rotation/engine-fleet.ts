import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { normalSerial } from "../../../certs/serial.ts";
import type { Component } from "../../../model/component.ts";
import { STEP_CA_SECRETS } from "../../../modules/step-ca/component.ts";
import { PINNED } from "../pins.ts";
import { type BackendSide, brokerHasCrls } from "./backend-side.ts";
import type { Fleet, Member } from "./fleet.ts";
import { namesHere, unlisted } from "./gateways-elsewhere.ts";
import { memberOf, type TlsStatus } from "./member.ts";

/** What a component of ours answers to `GET /status`, as far as certificates go. */
export interface CertificateStatus {
  readonly tls?: TlsStatus | undefined;
  readonly crl?: { readonly issuers: readonly { readonly issuer: string; readonly number: string }[] } | undefined;
}

/** How an engine looks at its components, and has them take their files. */
export interface EngineFleetRequest {
  readonly components: readonly Component[];
  readonly secretFile: (component: string, secret: string) => string;
  readonly leafFiles: (component: string) => readonly string[];
  /** Gateways with a certificate of this host that holds. */
  readonly issuedHere: () => readonly string[];
  readonly clock: () => Date;
  /** The answer of a component's control socket; undefined where it has none or does not answer. */
  readonly status: (component: Component) => Promise<CertificateStatus | undefined>;
  /** SHA-256 of the authority above the leaf that an online authority shows; undefined where it shows none. */
  readonly authority: (component: Component) => Promise<string | undefined>;
  /** When each component that runs began to. */
  readonly startedAt: () => Promise<ReadonlyMap<string, Date>>;
  /** Starts a component again, and waits until it runs. */
  readonly restart: (component: Component) => Promise<void>;
  /** Sends a component the signal by which it reads its files again. */
  readonly reload: (component: Component) => Promise<void>;
  readonly backend: BackendSide;
}

/** The fleet of a deployment that an engine runs on this machine. */
export function engineFleet(request: EngineFleetRequest): Fleet {
  const { components, clock, backend } = request;
  const elsewhere = gatewaysElsewhere(request);
  const reloadedAt = new Map<string, Date>();
  return {
    ...backend,
    async members() {
      const started = await request.startedAt();
      const seen = components.map(async (component) => {
        const { name } = component;
        const [start, reload] = [started.get(name), reloadedAt.get(name)];
        const { tls } = (await request.status(component)) ?? {};
        const readAt = start !== undefined && reload !== undefined && reload > start ? reload : start;
        return memberOf({
          component,
          leafFiles: request.leafFiles(name),
          secretFile: request.secretFile,
          tls,
          authority: component.secrets.some((one) => one.name === STEP_CA_SECRETS.cert)
            ? await request.authority(component)
            : undefined,
          readAt,
          now: clock(),
        });
      });
      return [...(await Promise.all(seen)), ...(await elsewhere())];
    },
    async apply(names) {
      const started = await request.startedAt();
      // What does not run reads its files when it starts.
      for (const component of components.filter(({ name }) => names.includes(name) && started.has(name))) {
        if (component.renewal === "restart") await request.restart(component);
        if (component.renewal !== "reload") continue;
        await request.reload(component);
        reloadedAt.set(component.name, clock());
      }
    },
    async newToken(gateway) {
      const component = components.find(({ name }) => name === gateway);
      const { tls } = (component && (await request.status(component))) ?? {};
      const [file = ""] = request.leafFiles(gateway);
      const shown = tls?.serial ?? new X509Certificate(readFileSync(file, "utf8")).serialNumber;
      return backend.newToken(gateway, normalSerial(shown));
    },
    async pendingCrls(crls) {
      const broker = components.find(({ name }) => name === PINNED);
      if (broker === undefined) return [];
      const status = await request.status(broker);
      return status !== undefined && brokerHasCrls(status.crl?.issuers, crls) ? [] : [PINNED];
    },
  };
}

/** Seconds for which the backend's list is good: one look at a phase asks for it more than once. */
const LISTED_SECONDS = 1;

/** The gateways that the backend knows and this host does not run. */
function gatewaysElsewhere({ components, leafFiles, issuedHere, clock, backend }: EngineFleetRequest) {
  let held: { readonly members: readonly Member[]; readonly at: number } | undefined;
  return async (): Promise<readonly Member[]> => {
    if (held !== undefined && clock().getTime() - held.at < LISTED_SECONDS * 1000) return held.members;
    const here = namesHere(components, leafFiles);
    const all = await backend.gateways(issuedHere()).catch(() => [unlisted()]);
    held = { members: all.filter(({ name }) => !here.has(name)), at: clock().getTime() };
    return held.members;
  };
}
