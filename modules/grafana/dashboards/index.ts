import { stableJson } from "../../../shared/stable-json.ts";
import { DATASOURCES } from "../datasources.ts";
import { fleetOverview } from "./fleet-overview.ts";
import { DASHBOARD_UIDS } from "./panels.ts";
import { sensorDetail } from "./sensor-detail.ts";

/** One dashboard as Grafana's provisioning reads it. */
export interface ProvisionedDashboard {
  readonly uid: string;
  readonly json: string;
}

/** The dashboard that a user sees first. */
export const HOME_DASHBOARD = DASHBOARD_UIDS.fleet;

/** All dashboards, with panels numbered in their order, so that a link to one stays right. */
export const DASHBOARDS: readonly ProvisionedDashboard[] = [fleetOverview(), sensorDetail()].map((builder) => {
  const dashboard = builder.build();
  const panels = (dashboard.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 }));
  return { uid: dashboard.uid ?? "", json: `${stableJson({ ...dashboard, panels }, 2)}\n` };
});

/** {@link DASHBOARDS} without the panels that ask Loki, where there is none; the others keep their numbers. */
export function dashboardsWithoutLogs(): readonly ProvisionedDashboard[] {
  return DASHBOARDS.map(({ uid, json }) => {
    const dashboard: { readonly panels: readonly { readonly datasource?: { readonly uid?: string } }[] } =
      JSON.parse(json);
    const panels = dashboard.panels.filter(({ datasource }) => datasource?.uid !== DATASOURCES.logs.uid);
    return { uid, json: `${stableJson({ ...dashboard, panels }, 2)}\n` };
  });
}
