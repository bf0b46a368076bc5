import { captureException, init } from '@rez/monitor';
import { pay } from './pay';

init({ consent: { monitoring: 'granted', analytics: 'granted' } });
try {
  pay();
} catch (error) {
  captureException(error);
}
