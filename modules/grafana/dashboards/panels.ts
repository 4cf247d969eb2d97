import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateTimelineBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { DATASOURCES } from "../datasources.ts";

/** Unique ids of the dashboards, which are in their addresses. */
export const DASHBOARD_UIDS = { fleet: "trustkern-fleet-overview", sensor: "trustkern-sensor-detail" } as const;

/** What every panel says of itself. */
export interface PanelText {
  readonly title: string;
  /** What is shown, where it comes from, and when to worry. */
  readonly description: string;
  /** Shown where there is nothing to show. */
  readonly empty: string;
  /** Columns of the 24 that a dashboard is wide. */
  readonly width: number;
  readonly height: number;
  readonly datasource?: (typeof DATASOURCES)[keyof typeof DATASOURCES];
  readonly queries: readonly Builder<Dataquery>[];
}

/** Colours from a value on, ascending; the first one has no value. */
export type Steps = readonly [string, ...(readonly [from: number, color: string])[]];

/** Thresholds in the unit of the panel. */
export function thresholds([base, ...steps]: Steps): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))]);
}

/** One number, or one word where `text` names its column. */
export function stat(text: PanelText, look: { unit?: string; steps?: Steps; column?: string } = {}): StatBuilder {
  const reduce = new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false);
  return described(new StatBuilder(), text)
    .unit(look.unit ?? "short")
    .thresholds(thresholds(look.steps ?? ["text"]))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(look.column === undefined ? reduce : reduce.fields(`/^${look.column}$/`));
}

/** Lines over time, with the values under the pointer in one tooltip. */
export function timeseries(text: PanelText, unit: string): TimeseriesBuilder {
  return described(new TimeseriesBuilder(), text)
    .unit(unit)
    .lineWidth(1)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Auto)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
}

/** Rows, with sorting and filters in the head. */
export function table(text: PanelText): TableBuilder {
  return described(new TableBuilder(), text).filterable(true);
}

/** What was so, from when to when. */
export function stateTimeline(text: PanelText): StateTimelineBuilder {
  return described(new StateTimelineBuilder(), text).mergeValues(true).rowHeight(0.8).showValue(VisibilityMode.Auto);
}

/** What a column, or a series, has of its own: unit, width, thresholds, link. */
export function column(look: {
  unit?: string;
  width?: number;
  steps?: Steps;
  link?: { title: string; url: string };
}): DynamicConfigValue[] {
  return [
    ...(look.unit ? [{ id: "unit", value: look.unit }] : []),
    ...(look.width ? [{ id: "custom.width", value: look.width }] : []),
    ...(look.steps
      ? [
          { id: "thresholds", value: thresholds(look.steps).build() },
          { id: "custom.cellOptions", value: { type: "color-text" } },
        ]
      : []),
    ...(look.link ? [{ id: "links", value: [look.link] }] : []),
  ];
}

/** Words and colours for values. */
export function words(options: Readonly<Record<string, { text: string; color: string }>>): ValueMap {
  return { type: MappingType.ValueToText, options };
}

/** A link at the top of a dashboard to the other one, for the same time. */
export function linkTo(title: string, uid: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}`)
    .icon("dashboard")
    .keepTime(true)
    .tooltip(`Open “${title}” for the same time`);
}

interface Describable<P> {
  title(title: string): P;
  description(text: string): P;
  noValue(text: string): P;
  span(width: number): P;
  height(height: number): P;
  datasource(ref: { type: string; uid: string }): P;
  targets(queries: Builder<Dataquery>[]): P;
}

/** Sets what {@link PanelText} says. */
export function described<P extends Describable<P>>(panel: P, text: PanelText): P {
  return panel
    .title(text.title)
    .description(text.description)
    .noValue(text.empty)
    .span(text.width)
    .height(text.height)
    .datasource(text.datasource ?? DATASOURCES.database)
    .targets([...text.queries]);
}
