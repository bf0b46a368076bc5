/**
 * The guide's table of recovery targets, in seconds. Settings can change each. Without `rpo` the age of a snapshot is not compared:
 * the guide keeps the configuration in version control, and the snapshot is the second copy. Redis is not in the guide's table.
 */
export const OBJECTIVES = {
  database: { title: 'Database', rto: 3600, rpo: 300 },
  cache: { title: 'Redis', rto: 3600, rpo: 86_400 },
  'file-storage': { title: 'File storage', rto: 7200, rpo: 86_400 },
  'load-balancer': { title: 'Load balancer', rto: 900 },
  system: { title: 'Complete system', rto: 14_400, rpo: 3600 },
};

/** The service of a source that names none. */
export const SERVICE = { mongodb: 'database', redis: 'cache', files: 'file-storage' };
