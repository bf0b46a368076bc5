/** The platforms that have an addon, by the end of the package's name. */
export const PLATFORMS: Record<string, { os: string[]; cpu: string[]; libc?: string[] }>;
/** Lays out both packages in `out`. Returns their folders. */
export function pack(addon: string, platform: string, out: string): { main: string; own: string };
