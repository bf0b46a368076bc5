/** One form for all panels: queries of Prometheus over time. */
import { VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** As `provisioning/datasources/prometheus.yml` names it. */
export const DATASOURCE = { type: 'prometheus', uid: 'rez-prometheus' };

/**
 * A panel. `queries`: from legend to expression; `{{name}}` in a legend is the value of a label.
 *
 * @param {string} title
 * @param {string} unit one of Grafana's
 * @param {string} description
 * @param {Record<string, string>} queries
 * @param {{ max?: number }} [limits]
 */
export function panel(title, unit, description, queries, { max } = {}) {
  const made = new PanelBuilder().title(title).unit(unit).description(description).datasource(DATASOURCE);
  made.span(12).height(8).min(0).legend(new VizLegendOptionsBuilder().showLegend(true));
  if (max !== undefined) made.max(max);
  for (const [at, [legend, expression]] of Object.entries(queries).entries()) {
    const refId = String.fromCharCode(65 + at);
    made.withTarget(
      new DataqueryBuilder().expr(expression).legendFormat(legend).refId(refId).datasource(DATASOURCE).range(),
    );
  }
  return made;
}
