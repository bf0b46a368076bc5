/** Components that are loaded when they are rendered first: the start of an app must not pay for what a developer looks at later. */
import { type ComponentType, lazy, Suspense } from 'react';
import type { Form } from '../feedback/form';
import type { InspectorPages } from '../inspector/pages';
import { Contained } from './contained';
import type { Layer } from './layer';

/** What `pages.js` exports. */
interface Pages {
  Form: typeof Form;
  InspectorPages: typeof InspectorPages;
  Layer: typeof Layer;
}

/**
 * The component that `pick` takes from the pages. What goes wrong, while it is loaded or rendered, is shown in its place and does not
 * reach the app.
 */
export function later<P extends { onClose?: (() => void) | undefined }>(
  pick: (pages: Pages) => ComponentType<P>,
): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  const load = async () => {
    try {
      // @ts-expect-error: it is JavaScript without declarations; `Pages` has its types.
      const pages: Pages = await import('./pages.js');
      return { default: pick(pages) };
    } catch (error) {
      // The next time it is shown it is tried again.
      Loaded = undefined;
      throw error;
    }
  };
  return function Later(props: P) {
    Loaded ??= lazy(load) as ComponentType<P>;
    return (
      <Contained onClose={props.onClose}>
        <Suspense fallback={null}>
          <Loaded {...props} />
        </Suspense>
      </Contained>
    );
  };
}
