import { captureException, trackScreenLoad } from '@rez/monitor';
import { useState } from 'react';
import { Text } from 'react-native';
import { FAULTS, type Fault, pay, type Receipt } from '../src/api';
import { cart, useCart } from '../src/cart';
import { purchase, total } from '../src/events';
import { rupees, text } from '../src/theme';
import { Button, Card, Choice, Page } from '../src/ui';
import { Why } from '../src/why';

type State =
  | { is: 'open' | 'paying' }
  | { is: 'failed'; message: string; eventId: string }
  | { is: 'paid'; receipt: Receipt };

export default function Pay() {
  const lines = useCart();
  const [fault, setFault] = useState<Fault>('none');
  const [state, setState] = useState<State>({ is: 'open' });

  const submit = async () => {
    setState({ is: 'paying' });
    // From the tap to the receipt. Calls until then are its children.
    const load = trackScreenLoad('Receipt');
    try {
      const receipt = await pay(total(lines), fault);
      purchase(receipt, lines);
      cart.clear();
      setState({ is: 'paid', receipt });
      load.finish();
    } catch (error) {
      load.cancel();
      const eventId = captureException(error, { severity: 'high', tags: { step: 'pay' } });
      setState({ is: 'failed', message: error instanceof Error ? error.message : String(error), eventId });
    }
  };

  if (state.is === 'paid') return <Paid receipt={state.receipt} />;
  return (
    <Page>
      <Card title={`To pay: ${rupees(total(lines))}`}>
        <Text style={text.faint}>The bank answers with</Text>
        <Choice name="fault" of={FAULTS} value={fault} onChange={setFault} />
      </Card>
      <Button
        label={state.is === 'paying' ? 'Paying …' : 'Pay'}
        testID="pay"
        disabled={state.is === 'paying' || lines.length === 0}
        onPress={submit}
      />
      {state.is === 'failed' && (
        <Card title="The payment failed">
          <Text testID="pay-error" style={text.body}>
            {state.message}
          </Text>
          <Why eventId={state.eventId} />
        </Card>
      )}
    </Page>
  );
}

function Paid({ receipt }: { receipt: Receipt }) {
  return (
    <Page>
      <Card title="Paid">
        <Text testID="receipt" style={text.body}>
          {rupees(receipt.amount)}, receipt {receipt.transaction_id}
        </Text>
      </Card>
    </Page>
  );
}
