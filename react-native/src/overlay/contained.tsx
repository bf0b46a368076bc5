/** Keeps a failure of what stands above the app away from the app. */
import { Component, type ReactNode } from 'react';
import { Text } from 'react-native';
import { describe } from '../core/json';

interface Props {
  children: ReactNode;
  onClose?: (() => void) | undefined;
}

/** Shows one sentence in the place of children that fail. A press on it closes them. */
export class Contained extends Component<Props, { failed: string }> {
  override state = { failed: '' };

  static getDerivedStateFromError(error: unknown): { failed: string } {
    return { failed: describe(error) || 'unknown error' };
  }

  override render(): ReactNode {
    const { failed } = this.state;
    if (failed === '') return this.props.children;
    const { onClose } = this.props;
    return (
      <Text
        testID="rez-overlay-failed"
        style={{ padding: 48, color: '#b3261e', backgroundColor: '#ffffff' }}
        {...(onClose && { role: 'button', onPress: onClose })}
      >
        {`REZ Monitor: this page failed: ${failed}.${onClose ? ' Press here to close it.' : ''}`}
      </Text>
    );
  }
}
