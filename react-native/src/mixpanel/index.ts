/** Stands in for `mixpanel-react-native`: an app that uses these names of it changes its import line. */
import { logEvent, timeEvent } from '../api/analytics';
import { flush, pauseDestination, resumeDestination } from '../api/delivery';
import { setUser } from '../api/scope';
import { client } from '../core/carrier';
import { isRecord, quietly } from '../core/guard';
import { describe } from '../core/json';
import { unsupported } from '../core/unsupported';
import { open } from '../vendors/open';
import { identify } from '../vendors/user';
import { trackAutomatically } from './automatic';
import { MIXPANEL, People } from './people';

export type { People } from './people';

type Properties = Record<string, unknown>;

export class Mixpanel {
  private readonly people = new People();

  /**
   * `trackAutomaticEvents`: from `init` on, records `$ae_first_open`, `$ae_updated` and `$ae_session` as the vendor's package does. The
   * rest of the vendor's arguments has no effect.
   */
  constructor(
    readonly token: string,
    readonly trackAutomaticEvents: boolean,
    _useNative?: boolean,
    _storage?: unknown,
  ) {}

  /** `init` with the destination `mixpanel`. Never rejected; without a token the destination is off, with one line. */
  init(optOutTrackingDefault = false, superProperties?: Properties, serverURL?: string): Promise<void> {
    quietly(() => {
      const endpoint = serverURL ? { endpoint: describe(serverURL) } : {};
      // Before the destination is there: what was recorded so far is not sent there either.
      if (optOutTrackingDefault) this.optOutTracking();
      open('Mixpanel.init', { mixpanel: { key: this.token, ...endpoint } });
      if (superProperties) this.registerSuperProperties(superProperties);
      if (this.trackAutomaticEvents === true) trackAutomatically();
    });
    return Promise.resolve();
  }

  /** `logEvent` for Mixpanel. */
  track(eventName: string, properties?: Properties): void {
    quietly(() => logEvent(eventName, isRecord(properties) ? properties : undefined, MIXPANEL));
  }

  /** `setUser`: the user of all destinations. */
  identify(distinctId: string): Promise<void> {
    quietly(() => identify(distinctId));
    return Promise.resolve();
  }

  /** Not needed: Mixpanel joins device and user by the ids on every event. */
  alias(_alias: string, distinctId: string): void {
    void this.identify(distinctId);
  }

  /** `setUser(null)`, and no super properties. Mixpanel gets a new device id. */
  reset(): void {
    quietly(() => {
      setUser(null);
      this.clearSuperProperties();
    });
  }

  getPeople(): People {
    return this.people;
  }

  /** `superProperties` for events of this entry. */
  registerSuperProperties(properties: Properties): void {
    this.register('super', properties);
  }

  registerSuperPropertiesOnce(properties: Properties): void {
    this.register('super_once', properties);
  }

  /** A copy: the app may change its own later. A text is no map of properties, however long it is. */
  private register(scope: 'super' | 'super_once', properties: Properties): void {
    quietly(() => {
      if (isRecord(properties)) client().scope({ scope, attrs: { ...properties }, ...MIXPANEL });
    });
  }

  unregisterSuperProperty(name: string): void {
    client().scope({ scope: 'super_unset', name: describe(name) });
  }

  /** Those of all destinations. */
  clearSuperProperties(): void {
    client().scope({ scope: 'super_clear' });
  }

  /** The next event of this name carries its duration. */
  timeEvent(eventName: string): void {
    quietly(() => timeEvent(eventName));
  }

  /** `resumeDestination('mixpanel')`. */
  optInTracking(): void {
    resumeDestination('mixpanel');
  }

  /** `pauseDestination('mixpanel')`: nothing recorded from now on is sent there, also after a restart. Nothing is erased. */
  optOutTracking(): void {
    pauseDestination('mixpanel');
  }

  /** `flush`, for all destinations. */
  flush(): void {
    void flush();
  }

  setServerURL(serverURL: string): void {
    quietly(() => open('Mixpanel.setServerURL', { mixpanel: { key: this.token, endpoint: describe(serverURL) } }));
  }

  setFlushInterval(_seconds?: number): void {
    unsupported('mixpanel.setFlushInterval()', 'the engine chooses the moments; call `flush()` for another');
  }

  setFlushBatchSize(_events?: number): void {
    unsupported('mixpanel.setFlushBatchSize()', 'the engine chooses the sizes');
  }

  setFlushOnBackground(_flush?: boolean): void {
    unsupported('mixpanel.setFlushOnBackground()', 'events are always sent when the app enters the background');
  }

  setLoggingEnabled(_logging?: boolean): void {
    unsupported('mixpanel.setLoggingEnabled()', 'pass `debug` to `init` instead');
  }

  setUseIpAddressForGeolocation(_use?: boolean): void {
    unsupported('mixpanel.setUseIpAddressForGeolocation()', 'addresses are never used for that');
  }
}
