import { createHash, type KeyObject } from "node:crypto";
import { type GatewayConfiguration, verifyGatewayConfiguration } from "../../../protocol/gateway-configuration.ts";
import { messageOf } from "../../../shared/errors.ts";
import { certificatesOf } from "../../runtime/tls-set.ts";
import type { Documents } from "../store/documents.ts";

/** The signed configuration. */
export interface Configuration {
  /** The copy in force, or null where there is none, or where the configured files were changed after it came: they are newer. */
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
  /** What the configured files say now of the same things. */
  readonly files: () => string;
  /** Told about a copy on disk that does not verify. */
  readonly onError: (error: unknown) => void;
}

/** Makes a {@link Configuration} from the copy on disk, which is verified as if it had just come. */
export function createConfiguration(options: ConfigurationOptions): Configuration {
  const { gateway, backendKey, documents, files, onError } = options;
  let held: GatewayConfiguration | null = null;
  let over = documents.get("configuration-over");
  const filesNow = (): string => createHash("sha256").update(files()).digest("hex");

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
    held: () => (over === filesNow() ? held : null),
    check,
    take: (dsse) => {
      const next = check(dsse);
      if (next.version === held?.version) return;
      documents.put("configuration", dsse);
      held = next;
      // Last: until it is there, the files count. A copy that comes once more says nothing about files that are newer.
      documents.put("configuration-over", filesNow());
      over = filesNow();
    },
  };
}
