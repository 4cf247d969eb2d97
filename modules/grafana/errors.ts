import { catalogue, EXIT } from "../../shared/errors.ts";

/** What can go wrong while Grafana's configuration is rendered. */
export const grafanaErrors = catalogue({
  GRAFANA_SETTING_INVALID: {
    exit: EXIT.configuration,
    summary: "A value cannot be written to grafana.ini without changing its meaning.",
    fix: "Use a value without line breaks, quotes, back-ticks, dollar signs, closing braces and a backslash at its end.",
  },
});
