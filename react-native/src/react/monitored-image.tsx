/** An image of React Native whose load is measured. */
import { useRef } from 'react';
import { Image, type ImageProps } from 'react-native';
import { trackImageLoad } from '../api/timing';
import { client } from '../core/carrier';
import type { Stopwatch } from '../core/clock';
import { guarded } from '../core/guard';

/** Takes the properties of `Image`. Records the load of an image that has a `uri`; one of the bundle is not loaded. */
export function MonitoredImage(props: ImageProps) {
  const watch = useRef<Stopwatch | undefined>(undefined);
  const { onLoadStart, onLoad } = props;
  return (
    <Image
      {...props}
      onLoadStart={() => {
        watch.current = client().stopwatch();
        onLoadStart?.();
      }}
      onLoad={(event) => {
        const uri = guarded(undefined, () => address(props.source));
        // Loaded from memory: React Native does not always tell the start.
        if (watch.current && uri !== undefined) trackImageLoad(uri, watch.current.elapsed().us / 1_000);
        watch.current = undefined;
        onLoad?.(event);
      }}
    />
  );
}

function address(source: ImageProps['source']): string | undefined {
  const one: unknown = Array.isArray(source) ? source[0] : source;
  const uri = typeof one === 'object' && one !== null ? (one as { uri?: unknown }).uri : undefined;
  return typeof uri === 'string' && /^https?:/.test(uri) ? uri : undefined;
}
