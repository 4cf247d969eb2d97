import type { KeyObject } from "node:crypto";
import { type GatewayConfiguration, verifyGatewayConfiguration } from "../../../protocol/gateway-configuration.ts";
import { messageOf } from "../../../shared/errors.ts";
import { certificatesOf } from "../../runtime/tls-set.ts";
import type { Documents } from "../store/documents.ts";

/** The signed configuration in force. */
export interface Configuration {
  readonly held: () => GatewayConfiguration | null;
  /** What a newer copy says, without taking it. @throws as `verifyGatewayConfiguration` */
  readonly check: (dsse: string) => GatewayConfiguration;
  /** Takes a copy that was checked. @throws as above */
  readonly take: (dsse: string) => void;
}

/** What {@link createConfiguration} is handed. */
export interface ConfigurationOptions {
  readonly gateway: string;
  readonly backendKey: KeyObject;
  readonly documents: Documents;
  /** Told about a copy on disk that does not verify. */
  readonly onError: (error: unknown) => void;
}

/** Makes a {@link Configuration} from the copy on disk, which is verified as if it had just come. */
export function createConfiguration({ gateway, backendKey, documents, onError }: ConfigurationOptions): Configuration {
  let held: GatewayConfiguration | null = null;

  function check(dsse: string): GatewayConfiguration {
    const currentVersion = held?.version ?? 0;
    const found = verifyGatewayConfiguration({ dsse, backendKey, audience: `gateway/${gateway}`, currentVersion });
    // A certificate that cannot be read would make every connection fail.
    for (const anchor of found.anchors) certificatesOf(anchor);
    return found;
  }

  const stored = documents.get("configuration");
  if (stored !== undefined) {
    try {
      held = check(stored);
    } catch (error) {
      onError(new Error(`the configuration on disk is not used: ${messageOf(error)}`, { cause: error }));
    }
  }
  return {
    held: () => held,
    check,
    take: (dsse) => {
      const next = check(dsse);
      documents.put("configuration", dsse);
      held = next;
    },
  };
}
