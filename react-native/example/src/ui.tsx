/** The parts that all screens are made of. A `testID` is also the label under which a tap is recorded. */
import type { ReactNode } from 'react';
import { Pressable, ScrollView, StyleSheet, Text, View } from 'react-native';
import { color, text } from './theme';

export function Page({ children }: { children: ReactNode }) {
  return (
    <ScrollView style={styles.page} contentContainerStyle={styles.content}>
      {children}
    </ScrollView>
  );
}

export function Card({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <View style={styles.card}>
      {title !== undefined && <Text style={styles.heading}>{title}</Text>}
      {children}
    </View>
  );
}

interface ButtonProps {
  label: string;
  testID: string;
  onPress: () => void;
  disabled?: boolean;
  quiet?: boolean;
}

export function Button({ label, testID, onPress, disabled = false, quiet = false }: ButtonProps) {
  return (
    <Pressable
      accessibilityRole="button"
      testID={testID}
      disabled={disabled}
      onPress={onPress}
      style={[styles.button, quiet && styles.quiet, disabled && styles.disabled]}
    >
      <Text style={[styles.label, quiet && styles.quietLabel]}>{label}</Text>
    </Pressable>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  of: readonly T[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few words. */
export function Choice<T extends string>({ name, of, value, onChange }: ChoiceProps<T>) {
  return (
    <View style={styles.choice}>
      {of.map((one) => (
        <Pressable
          key={one}
          accessibilityRole="radio"
          accessibilityState={{ checked: one === value }}
          testID={`${name}-${one}`}
          onPress={() => onChange(one)}
          style={[styles.option, one === value && styles.chosen]}
        >
          <Text style={[text.faint, one === value && styles.chosenLabel]}>{one}</Text>
        </Pressable>
      ))}
    </View>
  );
}

const styles = StyleSheet.create({
  page: { flex: 1, backgroundColor: color.back },
  content: { padding: 16, gap: 12 },
  card: {
    backgroundColor: color.card,
    borderRadius: 12,
    borderWidth: 1,
    borderColor: color.line,
    padding: 14,
    gap: 10,
  },
  heading: { fontSize: 15, fontWeight: '700', color: color.text },
  button: { backgroundColor: color.accent, borderRadius: 10, paddingVertical: 12, alignItems: 'center' },
  label: { color: '#ffffff', fontSize: 16, fontWeight: '600' },
  quiet: { backgroundColor: 'transparent', borderWidth: 1, borderColor: color.line },
  quietLabel: { color: color.text },
  disabled: { opacity: 0.4 },
  choice: { flexDirection: 'row', flexWrap: 'wrap', gap: 8 },
  option: { borderWidth: 1, borderColor: color.line, borderRadius: 16, paddingHorizontal: 12, paddingVertical: 6 },
  chosen: { backgroundColor: color.text, borderColor: color.text },
  chosenLabel: { color: '#ffffff' },
});
