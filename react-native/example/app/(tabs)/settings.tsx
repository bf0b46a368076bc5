import {
  type Consent,
  flush,
  forgetUser,
  type Purpose,
  setConsent,
  setTag,
  setUser,
  startInspector,
  status,
} from '@rez/monitor';
import { useState } from 'react';
import { Text } from 'react-native';
import { CONSENT, monitor } from '../../src/monitor';
import { text } from '../../src/theme';
import { Button, Card, Choice, Page } from '../../src/ui';

const DECISIONS: readonly Consent[] = ['granted', 'denied', 'pending'];
const USERS = { nobody: null, asha: { id: 'u-42', username: 'asha' }, ravi: { id: 'u-43', username: 'ravi' } };
type User = keyof typeof USERS;

export default function Settings() {
  return (
    <Page>
      <Card title="Consent">
        <ConsentTo purpose="monitoring" />
        <ConsentTo purpose="analytics" />
        <Button quiet label="Forget me" testID="forget" onPress={() => forgetUser()} />
      </Card>
      <Card title="Who shops">
        <SignedIn />
      </Card>
      <Card title="Test mode">
        <TestMode />
      </Card>
      <Card title="Delivery">
        <Delivery />
      </Card>
      <Card title="The inspector">
        <Button quiet label="Open it above the app" testID="open-inspector" onPress={() => startInspector()} />
      </Card>
      <Card title="What init answered">
        {(monitor.problems.length === 0 ? ['no problem'] : monitor.problems).map((problem) => (
          <Text key={problem} style={text.faint}>
            {problem}
          </Text>
        ))}
      </Card>
    </Page>
  );
}

/** The engine keeps the decision over restarts. An app keeps it too, where it asks for it; this one begins with that of `init`. */
function ConsentTo({ purpose }: { purpose: Purpose }) {
  const [decision, setDecision] = useState(CONSENT[purpose]);
  const decide = (next: Consent) => {
    setDecision(next);
    setConsent(purpose, next);
  };
  return (
    <>
      <Text style={text.body}>{purpose}</Text>
      <Choice name={purpose} of={DECISIONS} value={decision} onChange={decide} />
    </>
  );
}

function SignedIn() {
  const [user, choose] = useState<User>('nobody');
  const signIn = (next: User) => {
    choose(next);
    setUser(USERS[next]);
  };
  return <Choice name="user" of={Object.keys(USERS) as User[]} value={user} onChange={signIn} />;
}

/** A tag on every later event, by which a backend leaves test traffic out. */
function TestMode() {
  const [mode, setMode] = useState<'off' | 'on'>('off');
  const change = (next: 'off' | 'on') => {
    setMode(next);
    setTag('test_mode', next === 'on' ? true : null);
  };
  return <Choice name="test-mode" of={['off', 'on']} value={mode} onChange={change} />;
}

function Delivery() {
  const [lines, setLines] = useState<readonly string[]>([]);
  const send = async () => {
    const { destinations, error } = await flush();
    setLines(error === undefined ? destinations.map((destination) => destination.text) : [error]);
  };
  const look = () => setLines(status()?.lines ?? ['There is no engine here.']);
  return (
    <>
      <Button label="Send now" testID="flush" onPress={send} />
      <Button quiet label="Status" testID="status" onPress={look} />
      {lines.map((line) => (
        <Text key={line} testID="delivery-line" style={text.faint}>
          {line}
        </Text>
      ))}
    </>
  );
}
