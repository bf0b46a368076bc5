import { RezInspector } from '@rez/monitor';
import { Text } from 'react-native';
import { monitor } from '../../src/monitor';
import { text } from '../../src/theme';
import { Card, Page } from '../../src/ui';

export default function Inspector() {
  return monitor.recording ? <RezInspector /> : <NoEngine />;
}

/** Expo Go and a web page have no native side. Every call works there, and records nothing. */
function NoEngine() {
  return (
    <Page>
      <Card title="There is no engine here">
        {monitor.problems.map((problem) => (
          <Text key={problem} style={text.faint}>
            {problem}
          </Text>
        ))}
      </Card>
    </Page>
  );
}
