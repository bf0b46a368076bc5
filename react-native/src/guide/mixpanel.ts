/** `frontend/utils/mixpanel.ts` of the guide. Calls before `initialize` have no effect. */
import { shared } from '../core/carrier';
import { say } from '../core/say';
import { Mixpanel } from '../mixpanel';
import { guideConfig } from './config';

class MixpanelService {
  private readonly state = () => shared('guide.mixpanel', () => ({ mixpanel: undefined as Mixpanel | undefined }));

  private get mixpanel(): Mixpanel | undefined {
    return this.state().mixpanel;
  }

  /** `token`: default the one of `init`. */
  async initialize(token = guideConfig().mixpanel?.token): Promise<void> {
    if (!token) {
      say('mixpanelService.initialize: Mixpanel is off: pass the token, to `initialize` or to `init`');
      return;
    }
    const mixpanel = new Mixpanel(token, true);
    this.state().mixpanel = mixpanel;
    await mixpanel.init();
  }

  track(eventName: string, properties?: Record<string, unknown>): void {
    this.mixpanel?.track(eventName, properties);
  }

  identify(userId: string): void {
    void this.mixpanel?.identify(userId);
  }

  setUserProperties(properties: Record<string, unknown>): void {
    this.mixpanel?.getPeople().set(properties);
  }

  incrementUserProperty(property: string, by: number = 1): void {
    this.mixpanel?.getPeople().increment(property, by);
  }

  /** A charge of the profile, and no event. */
  trackRevenue(amount: number): void {
    this.mixpanel?.getPeople().trackCharge(amount);
  }

  reset(): void {
    this.mixpanel?.reset();
  }
}

export const mixpanelService = new MixpanelService();
