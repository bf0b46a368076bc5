export const loaded = import('./pay');
