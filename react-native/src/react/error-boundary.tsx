/** Errors of rendering: React ends the tree that threw, and tells nobody but a boundary. */
import { Component, type ComponentType, type ReactNode } from 'react';
import { type CaptureOptions, captureException } from '../api/capture';
import { guarded } from '../core/guard';
import { reportedAs } from '../errors/reported';
import { componentName, isComponent } from './component';

/** What a fallback gets. */
export interface FallbackProps {
  error: unknown;
  /** The id of the event, for `why(id)` and for a report of the user. Empty if nothing was recorded. */
  eventId: string;
  /** Renders the children again. */
  reset: () => void;
}

export interface ErrorBoundaryProps {
  children?: ReactNode;
  /** Shown in the place of the children. Default: nothing. */
  fallback?: ReactNode | ((props: FallbackProps) => ReactNode);
  /** What stands on the event. */
  capture?: CaptureOptions;
  onError?: (error: unknown, eventId: string) => void;
  onReset?: () => void;
}

interface State {
  failed: boolean;
  error: unknown;
  eventId: string;
}

const INTACT: State = { failed: false, error: undefined, eventId: '' };

/** Records what its children throw while they render, and shows a fallback. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, State> {
  override state: State = INTACT;

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { failed: true, error };
  }

  override componentDidCatch(error: unknown, info: { componentStack?: string | null }): void {
    const { capture, onError } = this.props;
    // An error that the app has captured and thrown on, or that an inner boundary has passed on, has its event already.
    const eventId =
      reportedAs(error) ??
      captureException(error, {
        mechanism: 'react',
        ...(info?.componentStack && { componentStack: info.componentStack }),
        ...guarded({}, () => ({ ...capture })),
      });
    this.setState({ eventId });
    if (typeof onError === 'function') onError(error, eventId);
  }

  reset = (): void => {
    const { onReset } = this.props;
    if (typeof onReset === 'function') onReset();
    this.setState(INTACT);
  };

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    const { fallback = null } = this.props;
    const { error, eventId } = this.state;
    return typeof fallback === 'function' ? fallback({ error, eventId, reset: this.reset }) : fallback;
  }
}

/** The component inside a boundary. */
export function withErrorBoundary<P extends object>(
  Inner: ComponentType<P>,
  boundary: ErrorBoundaryProps = {},
): ComponentType<P> {
  if (!isComponent(Inner)) return Inner;
  const Bounded = (props: P) => (
    <ErrorBoundary {...boundary}>
      <Inner {...props} />
    </ErrorBoundary>
  );
  Bounded.displayName = `withErrorBoundary(${componentName(Inner, 'Component')})`;
  return Bounded;
}
