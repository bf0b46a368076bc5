export interface Services {
  /** `REDIS_URL`, `MONGODB_URI`, `OTEL_EXPORTER_OTLP_ENDPOINT`, as far as they run. */
  variables: Record<string, string>;
  /** The file of the Collector: one JSON object on each line. */
  traces: string;
  missing: string[];
  stop(): Promise<void>;
}
export function startServices(folder: string, environment?: NodeJS.ProcessEnv): Promise<Services>;
