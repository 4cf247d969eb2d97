import { grafanaErrors } from "./errors.ts";

/** Sections of `grafana.ini`: settings by name, in each section by its name. */
export type Settings = Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;

// Line breaks and a backslash at the end reach into the next line; quotes and back-ticks end a quoted value; `%(` inserts another setting.
const CHANGES_MEANING = /[\r\n"`]|%\(|\\$|^\s|\s$/;
// What reads the value expands environment variables and files, which only fileValue may ask for.
const EXPANDS = /\$__|\$\{/;
const FILE_VALUE = /^\$__file\{[^{}$"`\r\n]+\}$/;

/**
 * A value that Grafana reads from a file when it starts, in `grafana.ini` and in its provisioning files.
 * @throws GRAFANA_SETTING_INVALID
 */
export function fileValue(path: string): string {
  const value = `$__file{${path}}`;
  if (FILE_VALUE.test(value)) return value;
  throw grafanaErrors.error("GRAFANA_SETTING_INVALID", `cannot name the file ${JSON.stringify(path)}`);
}

/**
 * Text of `grafana.ini`. All settings that cannot be written are in one report.
 * @throws GRAFANA_SETTING_INVALID
 */
export function renderIni(settings: Settings): string {
  const faults: string[] = [];
  const sections = Object.entries(settings).map(([section, members]) => {
    const lines = Object.entries(members).map(([name, value]) => {
      const text = String(value);
      const expands = EXPANDS.test(text) && !FILE_VALUE.test(text);
      if (CHANGES_MEANING.test(text) || expands) faults.push(`${section}.${name} is ${JSON.stringify(text)}`);
      return `${name} = ${/[;#]/.test(text) ? `"""${text}"""` : text}`;
    });
    return [`[${section}]`, ...lines, ""].join("\n");
  });
  if (faults.length === 0) return sections.join("\n");
  throw grafanaErrors.error("GRAFANA_SETTING_INVALID", faults.join("; "), { path: "grafana.ini" });
}
