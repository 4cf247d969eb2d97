import { stringify } from "yaml";
import type { ConfigFile } from "../model/component.ts";

/** A configuration file in YAML, of mode 0600. */
export function yamlFile(path: string, value: unknown): ConfigFile {
  return { path, content: stringify(value, { lineWidth: 0 }), mode: 0o600 };
}
