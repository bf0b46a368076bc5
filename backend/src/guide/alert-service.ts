/** The guide's alerts: one call, which returns when the alert is safe. Slack gets each one, PagerDuty those that are critical. */
import { guarded } from '../../../react-native/src/core/guard';
import { describe } from '../../../react-native/src/core/json';
import { recordNow } from '../core/capture';
import { type Fields, logger } from '../core/logger';
import { watchAlert } from './alert-delivery';

export enum AlertSeverity {
  INFO = 'info',
  WARNING = 'warning',
  ERROR = 'error',
  CRITICAL = 'critical',
}

const SEVERITIES: readonly string[] = Object.values(AlertSeverity);

class AlertService {
  /**
   * Records an alert and resolves to the id of its event, which `why(id)` explains. It does not wait for a vendor: the alert is delivered
   * by the queue, also if the process is killed now. Never rejects; an empty text: it was not recorded.
   *
   * The same alert, by title and severity, within five minutes is counted and not sent again: keep what varies in `details`.
   *
   * @param severity a word that is none is taken for `error`
   * @param title at most 1,024 bytes
   * @param description at most 8,192 bytes
   * @param details values by name, shown as fields
   */
  async sendAlert(
    severity: AlertSeverity | `${AlertSeverity}`,
    title: string,
    description: string,
    details?: Fields,
  ): Promise<string> {
    logger.warn('Alert triggered', { severity, title, description, details });
    const known = SEVERITIES.includes(severity);
    const id = guarded('', () =>
      recordNow({
        kind: 'alert',
        title: describe(title),
        description: describe(description ?? ''),
        severity: known ? severity : AlertSeverity.ERROR,
        ...(details && { attrs: details }),
      }),
    );
    if (id !== '') guarded(undefined, () => watchAlert(id));
    return id;
  }
}

/** Sends alerts to Slack (`SLACK_WEBHOOK_URL`) and PagerDuty (`PAGERDUTY_INTEGRATION_KEY`). */
export const alertService = new AlertService();
