import { useScreenLoad } from '@rez/monitor';
import { useEffect, useState } from 'react';
import { Text } from 'react-native';
import { text } from '../src/theme';
import { Card, Page } from '../src/ui';

/** Longer than `slowScreenMs`, whose default is 3 s. */
const WAIT_MS = 3_200;

export default function Slow() {
  const [isReady, setIsReady] = useState(false);
  useScreenLoad('SlowScreen', isReady);
  useEffect(() => {
    const timer = setTimeout(() => setIsReady(true), WAIT_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Page>
      <Card>
        <Text testID="slow-state" style={text.body}>
          {isReady ? 'Here at last. The load is recorded as slow.' : 'Loading …'}
        </Text>
      </Card>
    </Page>
  );
}
