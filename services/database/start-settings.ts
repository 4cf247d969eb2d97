/** Parameters of a startup packet that are no settings, or that every session has as the clients ask for them. */
const NO_SETTINGS = new Set(["user", "database", "options", "replication"]);

/** The settings that a client asks for in its startup packet, those in `options` (`-c name=value`) included. */
export function startSettings(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of parameters) {
    const isDefault = name === "client_encoding" && /^utf-?8$/i.test(value);
    if (!NO_SETTINGS.has(name) && !name.startsWith("_pq_.") && !isDefault) settings.set(name, value);
  }
  for (const [, name = "", value = ""] of (parameters.get("options") ?? "").matchAll(/(?:-c\s*|--)([\w.]+)=(\S*)/g))
    settings.set(name, value);
  return settings;
}
