/** The elements of which the inspector and the report form are made. */
import type { ReactNode } from 'react';
import { Pressable, Text, TextInput, type TextInputProps, type TextProps, View } from 'react-native';
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

export function Button({
  text,
  testID,
  onPress,
  label,
  quiet,
  disabled,
}: Pressed & { quiet?: boolean; disabled?: boolean }) {
  const theme = useTheme();
  return (
    <Pressable
      role="button"
      aria-label={label ?? text}
      aria-disabled={disabled === true}
      disabled={disabled === true}
      testID={testID}
      onPress={onPress}
      hitSlop={SLOP}
      style={{
        minHeight: HEIGHT,
        justifyContent: 'center',
        paddingHorizontal: 14,
        borderRadius: RADIUS,
        borderWidth: 1,
        borderColor: quiet ? theme.line : theme.accent,
        backgroundColor: quiet ? theme.card : theme.accent,
        opacity: disabled ? 0.5 : 1,
      }}
    >
      <Text style={{ color: quiet ? theme.text : theme.onAccent, textAlign: 'center', fontSize: 14 }}>{text}</Text>
    </Pressable>
  );
}

/** One of several. `role`: `tab` where it changes what is shown, `radio` where it chooses, `switch` where it stands alone. */
export function Choice({
  text,
  testID,
  onPress,
  label,
  chosen,
  role,
}: Pressed & { chosen: boolean; role: 'tab' | 'radio' | 'switch' }) {
  const theme = useTheme();
  return (
    <Pressable
      role={role}
      aria-label={label ?? text}
      {...(role === 'tab' ? { 'aria-selected': chosen } : { 'aria-checked': chosen })}
      testID={testID}
      onPress={onPress}
      hitSlop={SLOP}
      style={{
        minHeight: HEIGHT,
        justifyContent: 'center',
        paddingHorizontal: 12,
        borderRadius: RADIUS,
        borderWidth: 1,
        borderColor: chosen ? theme.accent : theme.line,
        backgroundColor: chosen ? theme.accent : theme.card,
      }}
    >
      <Text style={{ color: chosen ? theme.onAccent : theme.text, fontSize: 14 }}>{text}</Text>
    </Pressable>
  );
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
