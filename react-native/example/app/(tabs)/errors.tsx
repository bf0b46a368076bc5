import { ErrorBoundary } from '@rez/monitor';
import { AppError, ErrorSeverity, handleError } from '@rez/monitor/guide';
import { useRouter } from 'expo-router';
import { useState } from 'react';
import { Text } from 'react-native';
import { text } from '../../src/theme';
import { Button, Card, Page } from '../../src/ui';
import { Why } from '../../src/why';

export default function Errors() {
  const router = useRouter();
  return (
    <Page>
      <Card title="While it renders">
        <ErrorBoundary
          fallback={({ error, eventId, reset }) => (
            <>
              <Text style={text.body}>{String(error)}</Text>
              <Why eventId={eventId} />
              <Button quiet label="Try again" testID="render-again" onPress={reset} />
            </>
          )}
        >
          <Coupon />
        </ErrorBoundary>
      </Card>
      <Card title="Nobody catches it">
        <Button label="Uncaught error" testID="throw-uncaught" onPress={throwLater} />
        <Button label="Unhandled rejection" testID="reject" onPress={() => void rejects()} />
        <Text style={text.faint}>In a release, an uncaught error ends the app. It is on the disk before that.</Text>
      </Card>
      <Card title="The app handles it">
        <Button label="handleError" testID="handle" onPress={() => handleError(noStock())} />
      </Card>
      <Card title="No error, but slow">
        <Button label="Open a slow screen" testID="slow-screen" onPress={() => router.navigate('/slow')} />
      </Card>
    </Page>
  );
}

/** Renders a coupon that the server has never sent. */
function Coupon() {
  const [coupon, setCoupon] = useState<{ code?: string }>({ code: 'DIWALI' });
  return (
    <>
      <Text style={text.faint}>Coupon {(coupon.code as string).toLowerCase()}</Text>
      <Button label="Throw while rendering" testID="throw-render" onPress={() => setCoupon({})} />
    </>
  );
}

function throwLater() {
  setTimeout(() => {
    throw new TypeError('the price list has no currency');
  }, 0);
}

async function rejects() {
  throw new Error('the wish list was not saved');
}

function noStock() {
  return new AppError('Only one of these is left.', 'STOCK_ERROR', ErrorSeverity.LOW, { product_id: 3, wanted: 2 });
}
