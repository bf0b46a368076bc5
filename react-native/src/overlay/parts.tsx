/** The elements of which the inspector and the report form are made. */
import type { ReactNode } from 'react';
import {
  Pressable,
  type PressableProps,
  ScrollView,
  Text,
  TextInput,
  type TextInputProps,
  type TextProps,
  View,
} from 'react-native';
import { useTheme } from './theme';

/** The height of what can be pressed, in points, and how far a finger may miss it: 44 together. */
const HEIGHT = 36;
const SLOP = 4;
const RADIUS = 8;

export function StyledText({
  faint,
  bad,
  big,
  ...props
}: TextProps & { faint?: boolean; bad?: boolean; big?: boolean }) {
  const theme = useTheme();
  const color = bad ? theme.bad : faint ? theme.faint : theme.text;
  return (
    <Text
      {...props}
      style={[{ color, fontSize: big ? 18 : 14, ...(big && { fontWeight: '600' as const }) }, props.style]}
    />
  );
}

export function Heading({ text }: { text: string }) {
  return (
    <StyledText big role="heading">
      {text}
    </StyledText>
  );
}

interface Pressed {
  text: string;
  testID: string;
  onPress: () => void;
  /** What a screen reader says, where it is more than the text. */
  label?: string;
}

/** What can be pressed. `filled` with the accent colour, or outlined. */
function Press({
  text,
  label,
  filled,
  disabled = false,
  ...props
}: Pressed & Omit<PressableProps, 'style' | 'children'> & { filled: boolean }) {
  const theme = useTheme();
  return (
    <Pressable
      {...props}
      aria-label={label ?? text}
      disabled={disabled}
      hitSlop={SLOP}
      style={{
        minHeight: HEIGHT,
        justifyContent: 'center',
        paddingHorizontal: 14,
        borderRadius: RADIUS,
        borderWidth: 1,
        borderColor: filled ? theme.accent : theme.line,
        backgroundColor: filled ? theme.accent : theme.card,
        opacity: disabled ? 0.5 : 1,
      }}
    >
      <Text style={{ color: filled ? theme.onAccent : theme.text, textAlign: 'center', fontSize: 14 }}>{text}</Text>
    </Pressable>
  );
}

export function Button({
  quiet = false,
  disabled = false,
  ...pressed
}: Pressed & { quiet?: boolean; disabled?: boolean }) {
  return <Press {...pressed} role="button" filled={!quiet} disabled={disabled} aria-disabled={disabled} />;
}

/** One of several. `role`: `tab` where it changes what is shown, `radio` where it chooses, `switch` where it stands alone. */
export function Choice({ chosen, role, ...pressed }: Pressed & { chosen: boolean; role: 'tab' | 'radio' | 'switch' }) {
  const state = role === 'tab' ? { 'aria-selected': chosen } : { 'aria-checked': chosen };
  return <Press {...pressed} {...state} role={role} filled={chosen} />;
}

export function Field({ label, ...props }: Omit<TextInputProps, 'style'> & { label: string }) {
  const theme = useTheme();
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      placeholderTextColor={theme.faint}
      {...props}
      style={{
        minHeight: HEIGHT,
        paddingHorizontal: 12,
        paddingVertical: 6,
        borderRadius: RADIUS,
        borderWidth: 1,
        borderColor: theme.line,
        backgroundColor: theme.card,
        color: theme.text,
        // Browsers of phones enlarge the page for smaller ones.
        fontSize: 16,
        ...(props.multiline && { minHeight: 120, textAlignVertical: 'top' as const }),
      }}
    />
  );
}

export function Row({ children }: { children: ReactNode }) {
  return <View style={{ flexDirection: 'row', flexWrap: 'wrap', gap: 8, alignItems: 'center' }}>{children}</View>;
}

export function Card({ children, testID }: { children: ReactNode; testID?: string }) {
  const theme = useTheme();
  return (
    <View
      {...(testID !== undefined && { testID })}
      style={{
        padding: 12,
        gap: 6,
        borderRadius: RADIUS,
        borderWidth: 1,
        borderColor: theme.line,
        backgroundColor: theme.card,
      }}
    >
      {children}
    </View>
  );
}

/** A page of cards and texts that scrolls. */
export function ScrollPage({ children }: { children: ReactNode }) {
  return (
    <ScrollView style={{ flex: 1 }} contentContainerStyle={{ padding: 12, gap: 12, paddingBottom: 40 }}>
      {children}
    </ScrollView>
  );
}
