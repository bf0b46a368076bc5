/** `frontend/config/datadog.ts` of the guide. */
import { quietly, recordOf } from '../core/guard';
import { datadogLogs, datadogRum, type LogsOptions, type RumOptions } from '../datadog';
import { guideConfig } from './config';

/** Starts RUM and logs. `options` stand over those of `init` and of the guide. */
export function initDatadog(options?: RumOptions & LogsOptions): void {
  quietly(() => {
    const { environment, version, datadog } = guideConfig();
    const given: RumOptions & LogsOptions = { ...recordOf(datadog), ...recordOf(options) };
    const { forwardErrorsToLogs = true, ...rum } = given;
    datadogRum.init({
      site: 'datadoghq.com',
      service: 'rezapp-mobile',
      env: environment,
      version,
      sessionSampleRate: 100,
      sessionReplaySampleRate: 20,
      trackUserInteractions: true,
      trackResources: true,
      trackLongTasks: true,
      defaultPrivacyLevel: 'mask-user-input',
      ...rum,
    });
    const { clientToken, site = 'datadoghq.com' } = given;
    datadogLogs.init({ clientToken, site, forwardErrorsToLogs, sessionSampleRate: 100 });
    datadogRum.startSessionReplayRecording();
  });
}
