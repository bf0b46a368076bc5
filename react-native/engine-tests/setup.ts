import { cleanUp } from './addon';
import { Collector } from './collector';

jest.setTimeout(120_000);
afterEach(async () => {
  await cleanUp();
  await Collector.closeAll();
});
