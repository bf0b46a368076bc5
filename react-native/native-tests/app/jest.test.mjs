/** The app's own tests under jest-expo. */
import { reportTests } from '../jest.mjs';
import { shop, tool } from './shop.mjs';

const jest = (...command) => tool('jest/bin/jest.js', '--testTimeout', '120000', ...command);
reportTests(shop, jest, 'REZ_NODE_ADDON is not set');
