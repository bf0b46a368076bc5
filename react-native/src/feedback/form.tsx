/** The form itself. */
import { useRef, useState } from 'react';
import { ScrollView } from 'react-native';
import { captureFeedback } from '../api/capture';
import { carrier } from '../core/carrier';
import { Button, Field, Heading, Row, StyledText } from '../overlay/parts';
import { useTheme } from '../overlay/theme';
import type { FeedbackFormProps } from './feedback-form';
import { optionsOf, textsOf } from './texts';

/** Characters. In every script they fit the bytes that the engine keeps: 8,192 of a message, 200 of a name. */
const LONGEST = { name: 60, email: 254, message: 2_700 };

/** The beginning of a text that an app, or a platform without `maxLength`, has made too long. */
function fitting(text: string, most: number): string {
  const short = text.slice(0, most);
  return short.length < text.length ? short.replace(/[\ud800-\udbff]$/, '') : text;
}

export function Form(props: FeedbackFormProps) {
  const { onClose, onSent } = props;
  const options = optionsOf(props);
  const texts = textsOf(options.texts);
  const theme = useTheme();
  const [name, setName] = useState(fitting(options.name ?? carrier().user?.username ?? '', LONGEST.name));
  const [email, setEmail] = useState(fitting(options.email ?? carrier().user?.email ?? '', LONGEST.email));
  const [message, setMessage] = useState('');
  const [state, setState] = useState<'writing' | 'empty' | 'failed' | 'sent'>('writing');
  /** At once, unlike the state: a second press can come before the next render. */
  const isSent = useRef(false);
  const close = typeof onClose === 'function' ? onClose : undefined;

  const send = () => {
    const text = message.trim();
    if (text === '') return setState('empty');
    if (isSent.current) return;
    const id = captureFeedback(text, {
      ...(name.trim() !== '' && { name: fitting(name.trim(), LONGEST.name) }),
      ...(email.trim() !== '' && { email: fitting(email.trim(), LONGEST.email) }),
      ...(options.eventId !== undefined && options.eventId !== '' && { eventId: options.eventId }),
    });
    isSent.current = id !== '';
    setState(id === '' ? 'failed' : 'sent');
    if (id !== '' && typeof onSent === 'function') onSent(id);
  };

  return (
    <ScrollView
      testID="rez-feedback"
      style={{ flex: 1, backgroundColor: theme.page }}
      contentContainerStyle={{ padding: 16, gap: 12 }}
      keyboardShouldPersistTaps="handled"
    >
      <Heading text={texts.title} />
      {state === 'sent' ? (
        <>
          <StyledText testID="rez-feedback-thanks" aria-live="polite">
            {texts.thanks}
          </StyledText>
          {close && <Button text={texts.close} testID="rez-feedback-close" onPress={close} />}
        </>
      ) : (
        <>
          <Field
            label={texts.name}
            testID="rez-feedback-name"
            value={name}
            onChangeText={setName}
            maxLength={LONGEST.name}
            autoComplete="name"
          />
          <Field
            label={texts.email}
            testID="rez-feedback-email"
            value={email}
            onChangeText={setEmail}
            maxLength={LONGEST.email}
            inputMode="email"
            autoComplete="email"
            autoCapitalize="none"
            autoCorrect={false}
          />
          <Field
            label={texts.message}
            testID="rez-feedback-message"
            value={message}
            onChangeText={(text) => {
              setMessage(text);
              setState('writing');
            }}
            maxLength={LONGEST.message}
            multiline
          />
          {state !== 'writing' && (
            <StyledText bad testID="rez-feedback-wrong" aria-live="polite">
              {texts[state]}
            </StyledText>
          )}
          <Row>
            <Button text={texts.send} testID="rez-feedback-send" onPress={send} />
            {close && <Button quiet text={texts.cancel} testID="rez-feedback-cancel" onPress={close} />}
          </Row>
        </>
      )}
    </ScrollView>
  );
}
