/** `@rez/monitor/firebase-analytics` against the vendor's own types: an app compiles with its import line changed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileErrors, IMPORTS, names, type Version } from './compare';

interface Missing {
  values: Record<string, string>;
  types: Record<string, string>;
  instance: Record<string, string>;
}

const MISSING = JSON.parse(readFileSync(join(__dirname, 'missing.json'), 'utf8')) as Record<Version, Missing>;

/** What an app of the vendor's package does. `M` stands for the package. */
const MODULAR = `
  const analytics = M.getAnalytics();
  await M.logEvent(analytics, 'offer_opened', { offer_id: 'o-3', discount: 12.5 });
  await M.logEvent(analytics, 'begin_checkout', { value: 499.5, currency: 'INR', items: [{ item_id: 'p-1', price: 9 }] });
  await M.logEvent(analytics, 'add_to_cart', { value: 1 }, { global: true });
  await M.logPurchase(analytics, { value: 499.5, currency: 'INR', transaction_id: 'T-1' });
  await M.logScreenView(analytics, { screen_name: 'Store', screen_class: 'StoreScreen' });
  await M.setUserId(analytics, null);
  await M.setUserProperties(analytics, { plan: 'gold', store: null });
  await M.setUserProperty(analytics, 'plan', 'gold');
  await M.setDefaultEventParameters(analytics, { version: 42 });
  await M.setConsent(analytics, { analytics_storage: true, ad_storage: false });
  const id: string | null = await M.getAppInstanceId(analytics);
  const session: number | null = await M.getSessionId(analytics);
  const supported: boolean = await M.isSupported();
  return [id, session, supported];`;

const NAMESPACED = `
  await M.default().logEvent('offer_opened', { offer_id: 'o-3' });
  await M.default().logScreenView({ screen_name: 'Store', screen_class: 'StoreScreen' });
  await M.default().logPurchase({ value: 499.5, currency: 'INR', items: [] });
  await M.default().logAddToCart({ value: 1 });
  await M.default().logAppOpen();
  await M.default().setUserId('u-42');
  await M.default().setUserProperties({ plan: null }, { global: true });
  await M.default().setAnalyticsCollectionEnabled(false);
  await M.default().setSessionTimeoutDuration(900_000);
  await M.default().resetAnalyticsData();
  const session: number | null = await M.default().getSessionId();
  return [session];`;

describe.each<[Version, string[]]>([
  [25, [MODULAR, NAMESPACED]],
  [26, [MODULAR]],
])('version %d', (version, apps) => {
  const found = names(version);
  const shared = (part: keyof typeof found) => found[part].filter(([, isOurs]) => isOurs).map(([name]) => name);
  // These return the instance, which is compared method by method.
  const instances = ['default', 'getAnalytics', 'initializeAnalytics'];
  const functions = shared('values').filter((name) => !instances.includes(name));
  const methods = shared('instance');

  test('what is missing is listed, each with its reason', () => {
    for (const part of ['values', 'types', 'instance'] as const) {
      const absent = found[part].filter(([, isOurs]) => !isOurs).map(([name]) => name);
      const listed = MISSING[version][part];
      expect([part, Object.keys(listed).sort()]).toEqual([part, absent]);
      for (const reason of Object.values(listed)) expect(reason).toMatch(/\w+ \w+.*\.$/);
    }
    expect(functions.length).toBeGreaterThan(40);
    expect(methods.length).toBeGreaterThan(40);
  });

  test('each function and method takes the place of the vendor’s, and gives what the vendor’s gives', () => {
    // `logEvent` returns nothing in version 26, and a promise here, as in version 25.
    const results = functions.filter((name) => !(version === 26 && name === 'logEvent'));
    // One line for each name, so that an error names it.
    const source = [
      'type Instance = ReturnType<typeof theirs.getAnalytics>;',
      ...functions.map((name) => `export const f_${name}: typeof theirs.${name} = ours.${name};`),
      ...methods.map((name) => `export const m_${name}: Instance['${name}'] = ours.getAnalytics().${name};`),
      ...results.map((name) => {
        const result = (module: string) => `ReturnType<typeof ${module}.${name}>`;
        return `export const r_${name}: ${result('ours')} = undefined as unknown as ${result('theirs')};`;
      }),
    ];
    expect(compileErrors(version, IMPORTS + source.join('\n'))).toEqual([]);
  });

  test('an app compiles with either package', () => {
    const source = ['theirs', 'ours'].flatMap((module) => apps.map((app) => app.replaceAll('M.', `${module}.`)));
    const parts = source.map((app, at) => `export async function app_${at}() {${app}}`);
    expect(compileErrors(version, IMPORTS + parts.join('\n'))).toEqual([]);
  });

  test('a function of another form is noticed', () => {
    const source = [
      'export const a: typeof theirs.setUserId = (_: unknown, id: string) => Promise.resolve(void id);',
      'export const b: typeof theirs.logEvent = ours.logEvents;',
    ];
    const found = compileErrors(version, IMPORTS + source.join('\n'));
    expect(found).toEqual([expect.stringContaining('null'), expect.stringContaining('logEvents')]);
  });
});
